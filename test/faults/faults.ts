import { setTimeout as delay } from 'node:timers/promises'
import type { Load } from './load.ts'
import type { Random } from './random.ts'
import type { Fault as FaultEvent } from './record.ts'
import { STALL, type System } from './system.ts'

export interface Fault extends Pick<FaultEvent, 'name' | 'losesWrites' | 'oneServer' | 'clock'> {
  description: string
  /** From the beginning of the fault to its end; recovery is waited for by the caller. */
  inject(system: System, random: Random, load: Load): Promise<void>
}

const NEITHER = { losesWrites: false, oneServer: false, clock: false }
const LOSES_WRITES = { ...NEITHER, losesWrites: true }
const ONE_SERVER = { ...NEITHER, oneServer: true }

const stall = (random: Random) => delay(random.between(...STALL))
const anyOf = (system: System, random: Random) => Math.floor(random.next() * system.nodes.length)

/** Milliseconds that a clock is set off by. */
const JUMPS = [-3_600_000, -30_000, -3_000, 3_000, 30_000, 3_600_000]

export const FAULTS: readonly Fault[] = [
  {
    name: 'none',
    description: 'no fault: what the load does by itself',
    ...NEITHER,
    async inject() {},
  },
  {
    name: 'redis-flush',
    description: 'FLUSHALL',
    ...LOSES_WRITES,
    inject: (system) => system.redis.flush(),
  },
  {
    name: 'redis-kill',
    description: 'kill -9 of Redis, and an empty one in its stead',
    ...LOSES_WRITES,
    async inject({ redis }) {
      await redis.lose()
    },
  },
  {
    name: 'redis-failover',
    description: 'a replica takes over that was cut off before: the last writes are lost',
    ...LOSES_WRITES,
    async inject({ redis, links }, random) {
      await redis.failOver(
        () => delay(random.between(100, 2_000)),
        () => {
          for (const link of links.flat()) link.reset()
        },
      )
    },
  },
  {
    name: 'redis-stop',
    description: 'SIGSTOP of Redis for longer than the staleness bound',
    ...NEITHER,
    async inject({ redis }, random) {
      redis.kill('SIGSTOP')
      await stall(random)
      redis.kill('SIGCONT')
    },
  },
  {
    name: 'postgres-stop',
    description: 'SIGSTOP of every process of Postgres for longer than the staleness bound',
    ...NEITHER,
    async inject(system, random) {
      await system.signalPostgres('SIGSTOP')
      await stall(random)
      await system.signalPostgres('SIGCONT')
    },
  },
  {
    name: 'postgres-restart',
    description: 'restart of Postgres, by a fast shutdown or after a kill -9 of its main process',
    ...NEITHER,
    inject: (system, random) => system.restartPostgres(random.pick(['SIGINT', 'SIGKILL'])),
  },
  {
    name: 'server-kill',
    description: 'kill -9 of a server, some logouts under way, and another one in its stead',
    ...ONE_SERVER,
    async inject(system, random, load) {
      const server = anyOf(system, random)
      load.leaveAt(server)
      await delay(random.between(0, 60))
      await system.nodes[server]?.restart()
    },
  },
  {
    name: 'server-gone',
    description:
      'the same, but nobody comes in its stead for a while: the others finish what it left half done',
    ...ONE_SERVER,
    async inject(system, random, load) {
      const server = anyOf(system, random)
      load.leaveAt(server)
      await delay(random.between(0, 60))
      system.nodes[server]?.kill('SIGKILL')
      await delay(random.between(9_000, 12_000))
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
    name: 'partition',
    description: 'a server is cut off from Redis: refused, or unanswered and what was sent arrives later',
    ...ONE_SERVER,
    async inject(system, random) {
      const links = system.links[anyOf(system, random)] ?? []
      const isSilent = random.chance(0.6)
      for (const link of links) {
        if (isSilent) link.hold()
        else link.cut()
      }
      await stall(random)
      for (const link of links) link.heal()
    },
  },
  {
    name: 'clock-jump',
    description: 'the clock of a server is off by 3 s to an hour, either way, then right again',
    ...ONE_SERVER,
    clock: true,
    async inject(system, random) {
      const node = system.nodes[anyOf(system, random)]
      node?.shiftClock(random.pick(JUMPS))
      await delay(random.between(500, 3_000))
      node?.shiftClock(0)
      // Sent, but perhaps not yet read.
      await delay(200)
    },
  },
]

export function faultNamed(name: string): Fault {
  const found = FAULTS.find((fault) => fault.name === name)
  if (!found)
    throw new Error(`There is no fault '${name}', only ${FAULTS.map((fault) => fault.name).join(', ')}`)
  return found
}
