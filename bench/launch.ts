import { join } from 'node:path'
import { startRedis } from '../test/support/services/redis.ts'
import { addSnapshot, prepareSources } from '../test/support/services/sources.ts'
import { createEmptyDatabase } from '../test/support/services/template.ts'
import type { Settings } from './comparison.ts'
import {
  type Contender,
  type Program,
  pawlEnvironment,
  type Stores,
  startContender,
  startStores,
} from './contender.ts'
import type { Work } from './peers/peer.ts'
import { arePeersInstalled, installPeers, peers } from './peers/peers.ts'
import { startPeer } from './peers/start.ts'

const OWN = [
  ...['seed', 'pawl', 'bare', 'jwt', 'refresh', 'argon2'].map(
    (name) => `bench/contenders/${name}.ts`,
  ),
  'bench/probe.ts',
]

let compiled: Promise<string> | undefined

/**
 * Returns the folder of the compiled sources. They run as in production, because the code that tsx
 * adds to functions costs time.
 */
export function compiledSources(): Promise<string> {
  compiled ??= prepareSources([], OWN).then(async (sources) => {
    cleanUps.push(sources.remove)
    await addSnapshot(sources)
    return sources.dist
  })
  return compiled
}

const cleanUps: (() => Promise<unknown>)[] = []

/** Removes what several comparisons share, such as the compiled sources. */
export async function cleanUp(): Promise<void> {
  for (const step of cleanUps.splice(0)) await step()
}

const running = new WeakMap<Stores, { stop(): Promise<void> }[]>()

/**
 * Starts stores for one comparison. When the comparison ends, the stores stop, and so do all
 * processes that were started on them.
 */
export async function withStores<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await startStores()
  running.set(stores, [])
  try {
    return await work(stores)
  } finally {
    for (const one of (running.get(stores) ?? []).reverse()) await one.stop()
    await stores.stop()
  }
}

async function start(stores: Stores, program: Program): Promise<Contender> {
  const contender = await startContender(program)
  running.get(stores)?.push(contender)
  return contender
}

export async function startPawl(
  stores: Stores,
  {
    name = 'Pawl',
    flags = [],
    env,
  }: { name?: string; flags?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Contender> {
  const file = join(await compiledSources(), 'bench/contenders/pawl.js')
  return start(stores, { name, file, env: env ?? (await pawlEnvironment(stores)), flags })
}

/** Starts a floor: the best that is possible, or the same work without what Pawl adds to it. */
export async function startFloor(
  stores: Stores,
  name: string,
  module: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Contender> {
  const file = join(await compiledSources(), `bench/contenders/${module}.js`)
  return start(stores, { name, file, env: { REDIS_URL: stores.redis.url, ...env } })
}

/**
 * Starts the peers that do this kind of work, each with a Redis and a database of its own. Their
 * packages are installed on first use. A quick run skips missing ones, except in CI.
 */
export async function startPeers(
  stores: Stores,
  work: Work,
  { quick, say }: Settings,
): Promise<Contender[]> {
  if (!arePeersInstalled()) {
    if (quick && !process.env.CI) {
      say('The peers are skipped because they are not installed. A full run installs them.')
      return []
    }
    installPeers()
  }
  const contenders: Contender[] = []
  for (const peer of peers.filter((one) => one.work.includes(work))) {
    const redis = await startRedis()
    running.get(stores)?.push(redis)
    const contender = await startPeer(
      peer,
      redis.url,
      (await createEmptyDatabase(stores.postgres.url)).url,
    )
    running.get(stores)?.push(contender)
    contenders.push(contender)
  }
  return contenders
}
