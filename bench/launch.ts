import { join } from 'node:path'
import { prepareSources } from '../test/services/sources.ts'
import { type Contender, pawlEnvironment, type Stores, startContender, startStores } from './contender.ts'

const OWN = [
  ...['seed', 'pawl', 'bare', 'jwt', 'refresh', 'argon2'].map((name) => `bench/contenders/${name}.ts`),
  'bench/probe.ts',
]

let compiled: Promise<string> | undefined

/** The compiled sources: what runs in production, and what tsx adds to functions costs time. */
export function compiledSources(): Promise<string> {
  compiled ??= prepareSources([], OWN).then(({ dist, remove }) => {
    cleanUps.push(remove)
    return dist
  })
  return compiled
}

const cleanUps: (() => Promise<unknown>)[] = []

/** What is kept for several comparisons. */
export async function cleanUp(): Promise<void> {
  for (const step of cleanUps.splice(0)) await step()
}

const running = new WeakMap<Stores, Contender[]>()

/** Stores of their own for a comparison; they stop with it, and whatever was started on them. */
export async function withStores<T>(work: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await startStores()
  running.set(stores, [])
  try {
    return await work(stores)
  } finally {
    await Promise.all((running.get(stores) ?? []).map((contender) => contender.stop()))
    await stores.stop()
  }
}

async function start(
  stores: Stores,
  name: string,
  file: string,
  env: NodeJS.ProcessEnv,
  flags?: readonly string[],
): Promise<Contender> {
  const contender = await startContender(name, file, env, flags)
  running.get(stores)?.push(contender)
  return contender
}

export async function startPawl(
  stores: Stores,
  { name = 'Pawl', flags = [], env }: { name?: string; flags?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Contender> {
  const file = join(await compiledSources(), 'bench/contenders/pawl.js')
  return start(stores, name, file, env ?? (await pawlEnvironment(stores)), flags)
}

/** What can be had at best, or without what Pawl does. */
export async function startFloor(
  stores: Stores,
  name: string,
  module: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Contender> {
  const file = join(await compiledSources(), `bench/contenders/${module}.js`)
  return start(stores, name, file, { REDIS_URL: stores.redis.url, ...env })
}

/** Those that do this kind of work. */
export async function startPeers(
  _stores: Stores,
  _work: 'authenticate' | 'refresh',
  _say: (text: string) => void,
): Promise<Contender[]> {
  return []
}
