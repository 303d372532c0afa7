import { setTimeout as delay } from 'node:timers/promises'
import { startRedis } from '../../support/services/redis.ts'
import { untilTrue } from '../../support/services/until-true.ts'
import { type Fault, HARMLESS, LOSES_WRITES, ONE_SERVER, stall } from '../fault.ts'
import { anyOf, NO_FAULT, POSTGRES_FAULTS, SERVER_FAULTS } from '../faults.ts'
import { LEAVING } from '../load.ts'
import type { RedisServers, Topology } from '../topology.ts'
import { createOperator } from './operator.ts'

interface Single extends RedisServers {
  flush(): Promise<void>
  /** Signals the one that has the data. */
  kill(signal: NodeJS.Signals): void
  /** SIGKILL, and an empty server in its stead. */
  lose(): Promise<void>
  /** Its replica takes over, cut off before `writing` is awaited; `cut` breaks the connections of every server. */
  failOver(writing: () => Promise<unknown>, cut: () => void): Promise<void>
}

/** One behind the links, and a replica that takes its place, turn and turn about. */
async function start(): Promise<Single> {
  const [master, replica] = await Promise.all([startRedis(), startRedis()])
  let [active, standby] = [master, replica]
  const { on, isSynchronised, leave } = createOperator([master, replica])

  await on(standby, 'CONFIG', 'SET', 'replica-read-only', 'no')
  for (const one of [active, standby])
    await on(one, 'CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  return {
    url: ([port]) => `redis://127.0.0.1:${port}`,
    targets: [() => active.port],
    async whole() {},
    async flush() {
      await on(active, 'FLUSHALL')
    },
    kill: (signal) => active.kill(signal),
    async lose() {
      await active.crash('SIGKILL')
      await active.restart()
    },
    async failOver(writing, cut) {
      await on(standby, 'REPLICAOF', '127.0.0.1', active.port)
      await untilTrue(() => isSynchronised(standby), 'the replica has everything')
      await on(standby, 'REPLICAOF', 'NO', 'ONE')
      await writing()
      ;[active, standby] = [standby, active]
      cut()
      // The old master is gone, with what only it knew.
      await on(standby, 'FLUSHALL')
    },
    async stop() {
      leave()
      await Promise.all([master.stop(), replica.stop()])
    },
  }
}

const REDIS_FAULTS: readonly Fault<Single>[] = [
  {
    name: 'redis-flush',
    description: 'FLUSHALL',
    ...LOSES_WRITES,
    inject: ({ redis }) => redis.flush(),
  },
  {
    name: 'redis-kill',
    description: 'kill -9 of Redis, and an empty one in its stead',
    ...LOSES_WRITES,
    inject: ({ redis }) => redis.lose(),
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
    ...HARMLESS,
    async inject({ redis }, random) {
      redis.kill('SIGSTOP')
      await stall(random)
      redis.kill('SIGCONT')
    },
  },
  {
    name: 'partition',
    description:
      'a server is cut off from Redis: refused, or unanswered and what was sent arrives later',
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
      'kill -9 of a server, some logouts under way; the others have time to finish what it left half done, then FLUSHALL shows what is dead in truth, and another one comes in its stead',
    // The others can go on: to a server that knows how to go on without it, the loss is over at once.
    ...ONE_SERVER,
    losesWrites: true,
    async inject(system, random, load) {
      const server = anyOf(system, random)
      load.leaveAt(server)
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
  description: 'one Redis, which every server reaches through a link of its own',
  faults: [NO_FAULT, ...REDIS_FAULTS, ...SERVER_FAULTS, ...POSTGRES_FAULTS],
  start,
}
