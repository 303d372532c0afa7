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
  /** Milliseconds, rounded up to whole seconds. */
  duration: number
  connections?: number
  /** Sends each request once instead of repeating them. Rejects if there are too few. */
  once?: boolean
}

export interface LoadResult {
  perSecond: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** The tokens of the chains that have not been presented yet. */
  tokens: string[]
}

/** Returns the load generator that is on PATH, or downloads it. Throws if neither is possible. */
export async function findWrk(): Promise<Binary> {
  const command = await onPath('wrk')
  if (command) return { command, env: {} }
  const root = await debianPackage('wrk')
  const fetched = root && join(root, 'usr/bin/wrk')
  if (fetched && (await isExecutable(fetched)))
    return { command: fetched, env: await libraries(root) }
  throw new Error('wrk is not on PATH, and it could not be downloaded with apt-get')
}

/**
 * Sends these requests from a separate process as fast as the server responds. Rejects if one is
 * refused or fails.
 */
export async function attack(
  url: string,
  requests: readonly (Request | Chain)[],
  { duration, connections = CONNECTIONS, once = false }: Load,
): Promise<LoadResult> {
  const [one] = requests
  if (!one) throw new Error('there are no requests to send')
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
        `${url}: ${bad.refused} of ${count} responses were refusals; ${bad.broken} requests failed`,
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

type Count = 'requests' | 'microseconds' | 'p50' | 'p99' | 'refused' | 'broken'

/** The line of JSON that `requests.lua` prints last. Times are in microseconds. */
type WrkSummary = Record<Count, number> & { exhausted: boolean }

function lastLine(output: string): WrkSummary {
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
      code === 0 ? resolve(output) : reject(new Error(`wrk exited with code ${code}: ${output}`)),
    )
  })
}
