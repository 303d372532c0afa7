import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Binary,
  debianPackage,
  isExecutable,
  libraries,
  onPath,
} from '../test/support/services/binaries.ts'
import type { Chain, Request } from './contenders/seed.ts'

const SCRIPT = fileURLToPath(new URL('./wrk/requests.lua', import.meta.url))

const CONNECTIONS = 32

export interface Load {
  /** Milliseconds, in whole seconds. */
  duration: number
  connections?: number
  /** Sends each request once instead of again and again. Rejects if there are too few. */
  once?: boolean
}

export interface Answers {
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** The tokens of a chain that were not presented yet. */
  tokens: string[]
}

/** Finds the load generator on the machine, or downloads it. */
export async function findWrk(): Promise<Binary> {
  const command = await onPath('wrk')
  if (command) return { command, env: {} }
  const root = await debianPackage('wrk')
  const fetched = root && join(root, 'usr/bin/wrk')
  if (fetched && (await isExecutable(fetched)))
    return { command: fetched, env: await libraries(root) }
  throw new Error('no wrk on PATH, and no apt-get to fetch it with')
}

/**
 * Keeps the server busy with these requests, from a process of its own. Rejects if one is refused.
 */
export async function attack(
  url: string,
  requests: readonly (Request | Chain)[],
  { duration, connections = CONNECTIONS, once = false }: Load,
): Promise<Answers> {
  const [one] = requests
  if (!one) throw new Error('no requests')
  const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'))
  try {
    const file = join(folder, 'requests')
    await writeFile(file, requests.map(toLine).join('\n'))
    const way = isChain(one) ? one.field : once ? 'once' : 'again'
    const seconds = `${Math.max(1, Math.ceil(duration / 1000))}s`
    const args = [
      '-t1',
      `-c${connections}`,
      `-d${seconds}`,
      '--timeout',
      '10s',
      '-s',
      SCRIPT,
      url,
      '--',
      file,
      way,
    ]
    const output = await run(await findWrk(), args)
    const { requests: count, microseconds, p50, p99, exhausted, ...bad } = lastLine(output)
    if (exhausted) throw new Error(`${url}: there were too few requests to send each once`)
    if (bad.refused + bad.broken > 0 || count === 0)
      throw new Error(
        `${url}: of ${count} answers ${bad.refused} were refusals; ${bad.broken} failed`,
      )
    const tokens = output
      .split('\n')
      .flatMap((line) => (line.startsWith('token ') ? line.slice(6) : []))
    return { perSecond: (count / microseconds) * 1e6, p50: p50 / 1_000, p99: p99 / 1_000, tokens }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const isChain = (request: Request | Chain): request is Chain => 'token' in request

function toLine(request: Request | Chain): string {
  const { method, path, headers, body = '' } = request
  const whole = isChain(request) ? body.replace('{token}', `\x01${request.token}\x01`) : body
  return [
    method,
    path,
    whole,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\t')
}

type Done = Record<'requests' | 'microseconds' | 'p50' | 'p99' | 'refused' | 'broken', number> & {
  exhausted: boolean
}

function lastLine(output: string): Done {
  return JSON.parse(output.trim().split('\n').at(-1) ?? '')
}

function run({ command, env }: Binary, args: string[]): Promise<string> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`wrk ended with ${code}: ${output}`)),
    )
  })
}
