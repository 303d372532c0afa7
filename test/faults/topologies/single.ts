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
  /** Sends a signal to the current master. */
  kill(signal: NodeJS.Signals): void
  /** Kills the master with SIGKILL and starts an empty one in its place. */
  lose(): Promise<void>
  /**
   * Promotes the replica, which is cut off from the master before `writing` is awaited. `cut`
   * breaks the connections of every server.
   */
  failOver(writing: () => Promise<unknown>, cut: () => void): Promise<void>
}

/**
 * One master behind the links, and a replica that takes its place; the two change roles each time.
 */
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
      // The old master is discarded, with the writes that only it had.
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
  description: 'one Redis; every server has a link of its own to it',
  faults: [NO_FAULT, ...REDIS_FAULTS, ...SERVER_FAULTS, ...POSTGRES_FAULTS],
  start,
}
