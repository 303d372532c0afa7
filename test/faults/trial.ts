import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { check, type Verdict } from './checker.ts'
import type { Fault } from './fault.ts'
import { startLoad } from './load.ts'
import { createRandom } from './random.ts'
import type { Event } from './record.ts'
import type { Scenario } from './scenarios.ts'
import { GRACE, MAX_STALENESS, type System, startSystem } from './system.ts'

const RULES = {
  grace: GRACE,
  revocationMaxStaleness: MAX_STALENESS,
  finish: 7_000,
  heldUp: 2_000,
}

/** Milliseconds without faults at the end, in which thefts are found whose traces were lost. */
export const CALM = 2 * GRACE

/** Milliseconds until all clients have started. */
const WARM_UP = 1_500

export interface TrialOptions extends Scenario {
  /** Milliseconds in which faults are injected. */
  duration: number
  seed: number
  people: number
  /** The folder of the compiled modules that the servers run. */
  dist: string
  /** Returns true to end the trial early. It is called now and then with the verdict so far. */
  isEnough?: (verdict: Verdict) => boolean
}

export interface Trial extends Verdict, Scenario {
  /** The longest time in milliseconds from the start of a fault until every server was ready. */
  slowestRecovery: number
  events: Event[]
}

/** Runs one fault, again and again, under load, on a system of its own. */
export async function runTrial({
  topology,
  fault,
  duration,
  seed,
  people,
  dist,
  isEnough,
}: TrialOptions): Promise<Trial> {
  const random = createRandom(seed)
  const events: Event[] = []
  const system = await startSystem(join(dist, 'test/faults/node.js'), topology.start)
  try {
    const start = topology.load?.start ?? startLoad
    const load = await start(system, events, people, random.fork())
    await delay(WARM_UP)
    const until = performance.now() + duration
    let slowestRecovery = 0
    while (performance.now() < until) {
      await delay(random.between(300, 2_500))
      // After the pause, because later requests show what a fault has caused.
      if (isEnough?.(check(events, RULES))) break
      const recovery = await inject(system, fault, () => fault.inject(system, random, load), events)
      slowestRecovery = Math.max(slowestRecovery, recovery)
    }
    if (isEnough) await load.abandon()
    else {
      await delay(topology.load?.calm ?? CALM)
      await replaceCrashed(system, events)
      await load.stop()
    }
    return { topology, fault, slowestRecovery, events, ...check(events, RULES) }
  } finally {
    await system.stop()
  }
}

async function replaceCrashed({ nodes }: System, events: Event[]): Promise<void> {
  for (const [server, node] of nodes.entries()) {
    if (node.isRunning()) continue
    const start = performance.now()
    process.stderr.write(`${node.output().slice(-500)}\n`)
    await node.restart()
    events.push({ kind: 'crash', server, start, end: performance.now() })
  }
}

/** Resolves to the milliseconds until every server was ready, after Redis is complete again. */
async function inject(
  system: System,
  { name, losesWrites, losesCommits, shiftsClock, oneServer }: Fault,
  work: () => Promise<void>,
  events: Event[],
): Promise<number> {
  const start = performance.now()
  await work()
  await replaceCrashed(system, events)
  await system.recovered()
  await replaceCrashed(system, events)
  const recovery = performance.now() - start
  await system.redis.whole()
  const end = performance.now()
  const nature = { name, losesWrites, losesCommits, shiftsClock, oneServer }
  if (name !== 'none') events.push({ kind: 'fault', ...nature, start, end })
  return recovery
}
