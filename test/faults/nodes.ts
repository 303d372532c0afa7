import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '../support/environment.ts'

/** A server process, which can be killed and started again. */
export interface Node {
  /** The address at which it listens, or listened before it was killed. */
  url(): string
  kill(signal: NodeJS.Signals): void
  /** Kills it with SIGKILL and starts another process in its place, with these other settings. */
  restart(settings?: Env): Promise<void>
  /** Sets its clock off by so many milliseconds. */
  shiftClock(ms: number): void
  stop(): Promise<void>
  isRunning(): boolean
  /** Returns the end of its output. */
  output(): string
}

const START_LIMIT = 60_000
const KEPT_OUTPUT = 20_000

/** `entry` is the module that it runs. */
export async function startNode(entry: string, env: Env): Promise<Node> {
  let url = ''
  let output = ''
  let child = await launch({})

  async function launch(settings: Env): Promise<ChildProcess> {
    const { PATH = '', HOME = '' } = process.env
    const started = fork(entry, {
      env: { PATH, HOME, ...env, ...settings },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [started.stdout, started.stderr])
      stream?.on('data', (chunk) => {
        output = (output + chunk).slice(-KEPT_OUTPUT)
      })
    const ended = once(started, 'exit').then(() => undefined)
    const listening = once(started, 'message').then(([message]) => message as { url: string })
    const answer = await Promise.race([
      listening,
      ended,
      delay(START_LIMIT, undefined, { ref: false }),
    ])
    if (!answer) {
      started.kill('SIGKILL')
      throw new Error(`A server did not start:\n${output}`)
    }
    url = answer.url
    return started
  }

  const isRunning = () => child.exitCode === null && child.signalCode === null

  async function end(): Promise<void> {
    if (!isRunning()) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  return {
    url: () => url,
    kill: (signal) => void child.kill(signal),
    async restart(settings = {}) {
      await end()
      child = await launch(settings)
    },
    shiftClock: (offset) => void (child.connected && child.send({ offset })),
    stop: end,
    isRunning,
    output: () => output,
  }
}
