import { setTimeout as delay } from 'node:timers/promises'
import { type Fault, HARMLESS, ONE_SERVER, stall } from './fault.ts'
import { LEAVING } from './load.ts'
import type { Random } from './random.ts'
import { ACCESS_TTL, type System } from './system.ts'

/** Affects one server. */
export const anyOf = (system: System, random: Random) =>
  Math.floor(random.next() * system.nodes.length)

/** The offsets of the clock, in milliseconds. */
const JUMPS = [-3_600_000, -30_000, -3_000, 3_000, 30_000, 3_600_000]

export const NO_FAULT: Fault = {
  name: 'none',
  description: 'no fault: the load alone',
  ...HARMLESS,
  async inject() {},
}

export const SERVER_FAULTS: readonly Fault[] = [
  {
    name: 'server-kill',
    description: 'kill -9 of a server during logouts, and another one in its place',
    ...ONE_SERVER,
    async inject(system, random, load) {
      const server = anyOf(system, random)
      load.burstAt(server)
      await delay(random.between(0.8 * LEAVING, 1.2 * LEAVING))
      await system.nodes[server]?.restart()
    },
  },
  {
    name: 'server-stop',
    description: 'SIGSTOP of a server for longer than the staleness bound',
    ...ONE_SERVER,
    async inject(system, random) {
      const node = system.nodes[anyOf(system, random)]
      node?.kill('SIGSTOP')
      await stall(random)
      node?.kill('SIGCONT')
    },
  },
  {
    name: 'clock-jump',
    description: 'the clock of a server is wrong by 3 s to an hour, either way, then right again',
    ...ONE_SERVER,
    async inject(system, random) {
      const node = system.nodes[anyOf(system, random)]
      node?.shiftClock(random.pick(JUMPS))
      await delay(random.between(500, 3_000))
      node?.shiftClock(0)
      // The message is sent, but the process may not have read it yet.
      await delay(200)
    },
  },
  {
    name: 'token-ttl',
    description: 'a server starts with an ACCESS_TOKEN_TTL of 3 s, and the others keep theirs',
    ...ONE_SERVER,
    async inject(system, random) {
      const node = system.nodes[anyOf(system, random)]
      await node?.restart({ ACCESS_TOKEN_TTL: `${random.pick([3_000, ACCESS_TTL])}ms` })
      await delay(random.between(0, 3_000))
    },
  },
]
