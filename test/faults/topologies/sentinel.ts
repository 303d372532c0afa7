import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { createCertificate } from '../../support/services/certificate.ts'
import { createFolder } from '../../support/services/leash.ts'
import { type SentinelOptions, startSentinel } from '../../support/services/sentinel.ts'
import type { Service } from '../../support/services/service.ts'
import { untilTrue } from '../../support/services/until-true.ts'
import { type Fault, LOSES_WRITES, stall } from '../fault.ts'
import type { RedisServers, Topology } from '../topology.ts'
import { createOperator } from './operator.ts'

/** As docs/guides/redis.md recommends: a master that has lost its replica refuses writes. */
const GUARD = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '2']
/** Short, so that a fail-over sometimes ends within a stall. */
const TIMES = { downAfter: 500, failoverTimeout: 2_000, periods: { info: 250, publish: 250 } }

interface Sentinel extends RedisServers {
  /** Returns the master that the Sentinels name, and the replica. */
  pair(): Promise<{ master: Service; replica: Service }>
  /**
   * Resolves when another server has been promoted in place of this one, which then starts again.
   */
  replaced(lost: Service): Promise<void>
  /** Detaches the replica: later writes reach only the master. */
  cutOff(replica: Service, master: Service): Promise<void>
}

async function start(security?: SentinelOptions['security']): Promise<Sentinel> {
  const trio = await startSentinel({ ...TIMES, flags: GUARD, ...(security && { security }) })
  const services = [trio.master, trio.replica] as const
  const { on, isSynchronised, leave } = createOperator(
    [...services, ...trio.sentinels],
    security?.password,
  )

  async function pair() {
    const ports = await Promise.all(trio.sentinels.map(namedBy))
    const [port] = new Set(ports).size === 1 ? ports : []
    const [master, replica] = services[0].port === port ? services : [services[1], services[0]]
    if (master.port !== port) throw new Error('the Sentinels do not agree')
    return { master, replica }
  }

  async function namedBy(sentinel: Service): Promise<number> {
    const [, port] = (await on(
      sentinel,
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      trio.name,
    )) as string[]
    return Number(port)
  }

  /** Waits until no Sentinel considers the master down and none is about to replace it. */
  async function isTrusted(sentinel: Service): Promise<boolean> {
    const fields = (await on(sentinel, 'SENTINEL', 'MASTER', trio.name)) as string[]
    return fields[fields.indexOf('flags') + 1] === 'master'
  }

  async function isWhole(): Promise<boolean> {
    const { master, replica } = await pair()
    const trusted = await Promise.all(trio.sentinels.map(isTrusted))
    const said = String(await on(master, 'INFO', 'replication'))
    const hasReplica = said.includes('role:master') && said.includes('state=online')
    return trusted.every(Boolean) && hasReplica && (await isSynchronised(replica))
  }

  const guard = (count: number) =>
    Promise.all(
      services.map((service) => on(service, 'CONFIG', 'SET', 'min-replicas-to-write', count)),
    )

  return {
    url: () => trio.url,
    targets: [],
    pair,
    async whole() {
      await untilTrue(isWhole, 'the master has its replica, and the Sentinels are content')
      await guard(1)
    },
    async replaced(lost) {
      await untilTrue(async () => (await pair()).master !== lost, 'another one is the master')
      await lost.restart()
    },
    async cutOff(replica, master) {
      // Otherwise the master would refuse writes, so none could be lost, and the promoted server
      // could not be seen to serve.
      await guard(0)
      // It is stopped first, so that no command waits for it in a socket buffer.
      replica.kill('SIGSTOP')
      await on(master, 'CLIENT', 'KILL', 'TYPE', 'replica')
    },
    async stop() {
      leave()
      await trio.stop()
    },
  }
}

const FAULTS: readonly Fault<Sentinel>[] = [
  {
    name: 'redis-kill',
    description:
      'kill -9 of the master: its replica is promoted, and the old master returns empty, as the new replica',
    ...LOSES_WRITES,
    async inject({ redis }) {
      const { master } = await redis.pair()
      await master.crash('SIGKILL')
      await redis.replaced(master)
    },
  },
  {
    name: 'redis-failover',
    description: 'the same, after the replica was cut off: the last writes are lost',
    ...LOSES_WRITES,
    async inject({ redis }, random) {
      const { master, replica } = await redis.pair()
      await redis.cutOff(replica, master)
      await delay(random.between(100, 2_000))
      await master.crash('SIGKILL')
      replica.kill('SIGCONT')
      await redis.replaced(master)
    },
  },
  {
    name: 'redis-stop',
    description:
      'SIGSTOP of the master for longer than the staleness bound: it stays the master, or it has been replaced',
    ...LOSES_WRITES,
    async inject({ redis }, random) {
      const { master } = await redis.pair()
      master.kill('SIGSTOP')
      await stall(random)
      master.kill('SIGCONT')
    },
  },
]

export const SENTINEL: Topology<Sentinel> = {
  name: 'sentinel',
  description: 'a master and its replica under three Sentinels, configured as the guide says',
  faults: FAULTS,
  start: () => start(),
}

/** Starts the same with TLS everywhere, and with a password for servers and Sentinels. */
async function startSecure(): Promise<Sentinel> {
  const folder = await createFolder()
  const certificate = createCertificate(folder)
  if (!certificate) throw new Error('To start Redis with TLS, install openssl')
  const sentinel = await start({ certificate, password: 'a-password' })
  return {
    ...sentinel,
    env: { NODE_EXTRA_CA_CERTS: certificate.path },
    async stop() {
      await sentinel.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const SECURE_SENTINEL: Topology<Sentinel> = {
  name: 'sentinel-tls',
  description: 'the same, with TLS and a password for the servers and the Sentinels',
  faults: FAULTS.filter(({ name }) => name !== 'redis-stop'),
  start: startSecure,
}
