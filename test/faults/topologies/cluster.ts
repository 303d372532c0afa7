import { startCluster } from '../../support/services/cluster.ts'
import type { Service } from '../../support/services/service.ts'
import { type Fault, HARMLESS, LOSES_WRITES, stall } from '../fault.ts'
import type { RedisServers, Topology } from '../topology.ts'
import { createOperator } from './operator.ts'

interface Cluster extends RedisServers {
  masters: readonly Service[]
  flush(): Promise<void>
}

async function start(): Promise<Cluster> {
  const { nodes: masters, url, whole, stop } = await startCluster()
  const { on, leave } = createOperator(masters)
  return {
    masters,
    url: () => url,
    targets: [],
    whole,
    async flush() {
      await Promise.all(masters.map((master) => on(master, 'FLUSHALL')))
    },
    async stop() {
      leave()
      await stop()
    },
  }
}

const FAULTS: readonly Fault<Cluster>[] = [
  {
    name: 'redis-flush',
    description: 'FLUSHALL of every master',
    ...LOSES_WRITES,
    inject: ({ redis }) => redis.flush(),
  },
  {
    name: 'redis-kill',
    description: 'kill -9 of a master, which returns empty',
    ...LOSES_WRITES,
    async inject({ redis }, random) {
      const master = random.pick(redis.masters)
      await master.crash('SIGKILL')
      // The other masters may notice that it is down, or may not.
      if (random.chance(0.5)) await stall(random)
      await master.restart()
    },
  },
  {
    name: 'redis-stop',
    description: 'SIGSTOP of a master for longer than the staleness bound',
    ...HARMLESS,
    async inject({ redis }, random) {
      const master = random.pick(redis.masters)
      master.kill('SIGSTOP')
      await stall(random)
      master.kill('SIGCONT')
    },
  },
]

export const CLUSTER: Topology<Cluster> = {
  name: 'cluster',
  description: 'a Cluster of three masters without replicas',
  faults: FAULTS,
  start,
}
