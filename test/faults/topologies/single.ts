import { setTimeout as delay } from 'node:timers/promises'
import { type Fault, HARMLESS, LOSES_WRITES, ONE_SERVER, stall } from '../fault.ts'
import { anyOf, NO_FAULT, SERVER_FAULTS } from '../faults.ts'
import { LEAVING } from '../load.ts'
import { POSTGRES_FAULTS } from '../postgres-faults.ts'
import { MAX_STALENESS } from '../system.ts'
import type { Topology } from '../topology.ts'
import { type Single, startSingle } from './single-servers.ts'

const REDIS_FAULTS: readonly Fault<Single>[] = [
  {
    name: 'redis-flush',
    description: 'FLUSHALL',
    ...LOSES_WRITES,
    inject: ({ redis }) => redis.flush(),
  },
  {
    name: 'redis-kill',
    description: 'kill -9 of Redis, and an empty server in its place',
    ...LOSES_WRITES,
    inject: ({ redis }) => redis.lose(),
  },
  {
    name: 'redis-failover',
    description: 'promotion of a replica that was cut off before: the last writes are lost',
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
    name: 'redis-older',
    description:
      'a replica takes the place of the master for a while, and then the master, which missed that, returns',
    ...LOSES_WRITES,
    async inject({ redis, links }, random) {
      await redis.returnToOlder(
        () => delay(random.between(500, 3_000)),
        () => {
          for (const link of links.flat()) link.reset()
        },
      )
    },
  },
  {
    name: 'run-id-hidden',
    description: 'the same as redis-failover, with a Redis that hides its run id',
    ...LOSES_WRITES,
    async inject({ redis, links }, random) {
      for (const link of links.flat()) link.hideRunId()
      await redis.failOver(
        () => delay(random.between(100, 2_000)),
        () => {
          for (const link of links.flat()) link.reset()
        },
      )
    },
  },
  {
    name: 'redis-clock',
    description: 'the clock of Redis is wrong by 3 s to an hour, either way, then right again',
    ...LOSES_WRITES,
    shiftsClock: true,
    async inject({ redis }, random) {
      redis.shiftClock(random.pick([-3_600, -30, -3, 3, 30, 3_600]))
      await delay(random.between(500, 3_000))
      redis.shiftClock(0)
      // The servers read the clock twice a second.
      await delay(1_500)
    },
  },
  {
    name: 'stream-lost',
    description: 'the stream of revocations is removed while one server receives nothing',
    ...ONE_SERVER,
    async inject(system, random) {
      const links = system.links[anyOf(system, random)] ?? []
      for (const link of links) link.hold()
      await delay(random.between(200, 0.8 * MAX_STALENESS))
      await system.redis.loseStream()
      for (const link of links) link.heal()
    },
  },
  {
    name: 'redis-full',
    description: 'Redis has no memory left and evicts nothing, and a server has to connect again',
    ...HARMLESS,
    async inject(system, random) {
      await system.redis.setFull(true)
      await delay(random.between(0, 500))
      for (const link of system.links[anyOf(system, random)] ?? []) link.reset()
      await stall(random)
      await system.redis.setFull(false)
    },
  },
  {
    name: 'redis-stop',
    description: 'SIGSTOP of Redis for longer than the staleness bound',
    ...HARMLESS,
    async inject({ redis }, random) {
      redis.kill('SIGSTOP')
      await stall(random)
      redis.kill('SIGCONT')
    },
  },
  {
    name: 'partition',
    description: 'one server is cut off from Redis: connections are refused, or data arrives late',
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
    name: 'server-gone',
    description:
      'kill -9 of a server during logouts; the others have time to finish the revocations, then FLUSHALL shows what Postgres knows, and another server takes its place',
    // The other servers can continue: for one that handles the loss correctly, it is over at once.
    ...ONE_SERVER,
    losesWrites: true,
    async inject(system, random, load) {
      const server = anyOf(system, random)
      load.burstAt(server)
      await delay(random.between(0.8 * LEAVING, 1.2 * LEAVING))
      system.nodes[server]?.kill('SIGKILL')
      await delay(random.between(8_500, 10_500))
      await system.redis.flush()
      await system.nodes[server]?.restart()
    },
  },
]

export const SINGLE: Topology<Single> = {
  name: 'single',
  description: 'one Redis; every server has a link of its own to it',
  faults: [NO_FAULT, ...REDIS_FAULTS, ...SERVER_FAULTS, ...POSTGRES_FAULTS],
  start: startSingle,
}
