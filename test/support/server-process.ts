import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from './clean-up.ts'
import { type Env, required } from './environment.ts'

const ENTRY = join(required('TEST_DIST'), 'src/server.js')

export interface ServerProcess {
  url: string
  child: ChildProcess
  /** Returns what the process has written to stdout and stderr so far. */
  output(): string
  /** Resolves when the output contains the text. Rejects if the process ends without it. */
  printed(text: string): Promise<void>
  /** The exit code, or the signal that ended the process. */
  ended: Promise<number | NodeJS.Signals>
}

/** Starts a server as a process of its own, as an operator does. It is killed after the test. */
export function spawnServer(
  t: TestContext,
  env: Env,
  entry: string[] = [ENTRY],
): Omit<ServerProcess, 'url'> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, entry, {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => output.includes(text) && resolve()
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', look)
      ended.then((how) =>
        reject(new Error(`ended (${how}) without printing '${text}':\n${output}`)),
      )
      look()
    })
  return { child, output: () => output, printed, ended }
}

/** Starts a server and waits until it listens. */
export async function startServer(
  t: TestContext,
  env: Env,
  entry?: string[],
): Promise<ServerProcess> {
  const server = spawnServer(t, { LOG_LEVEL: 'info', ...env }, entry)
  await server.printed('Server listening at')
  const url = /Server listening at (http:[^"]+)/.exec(server.output())?.[1] ?? ''
  return { ...server, url }
}
