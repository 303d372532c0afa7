import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type Env, required } from './environment.ts'

export const CLI = [join(required('TEST_DIST'), 'src/cli.js')]

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a command to its end. It reads `input` and then the end of the pipe. */
export async function runCli(args: string[], env: Env = {}, input = ''): Promise<CliResult> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [...CLI, ...args], { env: { PATH, HOME, ...env } })
  // A command that reads nothing may have exited before the pipe is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}
