import { startCluster } from '../../support/services/cluster.ts'
import type { Service } from '../../support/services/service.ts'
import { untilTrue } from '../../support/services/until-true.ts'
import { type Fault, HARMLESS, LOSES_WRITES, stall } from '../fault.ts'
import type { Random } from '../random.ts'
import type { RedisServers, Topology } from '../topology.ts'
import { createOperator } from './operator.ts'

/** Any key in the slot of the feed of revocations. */
const FEED = '{pawl:revocations}'
/** How many slots move at a time. */
const MOVED = 64

interface ReplicatedCluster extends RedisServers {
  /** Returns the masters, in no particular order. */
  masters(): Promise<Service[]>
  /** Moves the slot of the feed and some of its neighbours to another master. */
  moveSlots(random: Random): Promise<void>
}

async function start(): Promise<ReplicatedCluster> {
  const cluster = await startCluster({
    hasReplicas: true,
    flags: ['--repl-diskless-sync-delay', '0'],
  })
  const { nodes, url } = cluster
  const { on, isSynchronised, leave } = createOperator(nodes)
  const isMaster = async (node: Service) =>
    String(await on(node, 'INFO', 'replication')).includes('role:master')

  async function masters(): Promise<Service[]> {
    const roles = await Promise.all(nodes.map(isMaster))
    return nodes.filter((_, index) => roles[index])
  }

  async function isWhole(): Promise<boolean> {
    const states = nodes.map(async (node) => !(await isMaster(node)) && isSynchronised(node))
    const replicas = (await Promise.all(states)).filter(Boolean).length
    return replicas === nodes.length / 2 && (await masters()).length === nodes.length / 2
  }

  async function whole(): Promise<void> {
    await untilTrue(isWhole, 'every master has its replica')
    await cluster.whole()
  }

  const idOf = async (node: Service) => String(await on(node, 'CLUSTER', 'MYID'))

  /** Returns the id of the master that serves a slot. */
  async function ownerOf(slot: number): Promise<string> {
    const ranges = (await on(nodes[0] as Service, 'CLUSTER', 'SLOTS')) as [
      number,
      number,
      [string, number, string],
    ][]
    const [, , [, , id]] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [
      0,
      0,
      ['', 0, ''] as [string, number, string],
    ]
    return id
  }

  async function moveSlot(slot: number, from: Service, to: Service): Promise<void> {
    await on(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from))
    await on(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to))
    for (;;) {
      const keys = (await on(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[]
      if (keys.length === 0) break
      await on(from, 'MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys)
    }
    const id = await idOf(to)
    for (const node of [to, from, ...(await masters())])
      await on(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', id)
  }

  await whole()
  return {
    url: () => url,
    targets: [],
    whole,
    masters,
    async moveSlots(random) {
      const all = await masters()
      const feed = Number(await on(nodes[0] as Service, 'CLUSTER', 'KEYSLOT', FEED))
      const ids = await Promise.all(all.map(idOf))
      const owner = await ownerOf(feed)
      const from = all[ids.indexOf(owner)]
      const to = random.pick(all.filter((node) => node !== from))
      for (let slot = feed; from && slot < feed + MOVED; slot++)
        if ((await ownerOf(slot)) === owner) await moveSlot(slot, from, to)
    },
    async stop() {
      leave()
      await cluster.stop()
    },
  }
}

const FAULTS: readonly Fault<ReplicatedCluster>[] = [
  {
    name: 'redis-kill',
    description: 'kill -9 of a master: its replica is promoted, and it returns as the replica',
    ...LOSES_WRITES,
    async inject({ redis }, random) {
      const master = random.pick(await redis.masters())
      await master.crash('SIGKILL')
      await stall(random)
      await master.restart()
    },
  },
  {
    name: 'slots-moved',
    description: 'the slot of the feed and 63 others move to another master, with their keys',
    ...HARMLESS,
    inject: ({ redis }, random) => redis.moveSlots(random),
  },
]

export const REPLICATED_CLUSTER: Topology<ReplicatedCluster> = {
  name: 'cluster-replicas',
  description: 'a Cluster of three masters, each with a replica',
  faults: FAULTS,
  start,
}
