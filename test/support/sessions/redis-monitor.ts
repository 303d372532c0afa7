import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export interface Monitor {
  /** The commands so far in lower case, without those that scripts call inside Redis. */
  commands: string[]
  /** Resolves when Redis has reported a command with this first argument. */
  waitFor(argument: string): Promise<void>
  stop(): void
}

/** `1339518083.107412 [0 127.0.0.1:60866] "keys" "*"`, or `[0 lua]` for a call inside a script. */
const REPORT = /^\+[\d.]+ \[\d+ (?<source>\S+)\] "(?<command>[^"]*)"(?: "(?<argument>[^"]*)")?/

/**
 * Watches the commands that a Redis receives.
 *
 * The monitor of ioredis is not used: if the first report arrives together with the reply to
 * MONITOR, it fails with "Command queue state error" (the error that
 * https://github.com/redis/ioredis/issues/1981 is about). It can be used again when that is fixed.
 */
export async function startMonitor(url: string): Promise<Monitor> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const lines = createInterface({ input: socket })
  const commands: string[] = []
  const waiting = new Map<string, () => void>()
  lines.on('line', (line) => {
    const { source, command = '', argument = '' } = REPORT.exec(line)?.groups ?? {}
    if (source !== undefined && source !== 'lua') commands.push(command.toLowerCase())
    waiting.get(argument)?.()
  })
  socket.write('MONITOR\r\n')
  await once(lines, 'line')
  return {
    commands,
    waitFor: (argument) => new Promise((resolve) => waiting.set(argument, resolve)),
    stop: () => socket.destroy(),
  }
}
