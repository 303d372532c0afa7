import type { HotSession } from './model.ts'
import { transitionsFrom } from './model-steps.ts'
import {
  initialWorld,
  SETTING,
  type Server,
  type Setting,
  type Step,
  type Transition,
  type World,
} from './model-world.ts'

/** How a state was first reached. */
export interface Node {
  world: World
  step: Step | undefined
  from: Node | undefined
}

export interface SearchResult {
  states: number
  /** The first broken promise, with one of the shortest runs that break it. */
  broken: { promise: string; run: Step[] } | undefined
}

/**
 * Yields every step from every state that can be reached, nearest first. States with the same
 * identity are explored once.
 */
export function* explore(
  setting: Setting,
  identity: (world: World) => string = identityOf,
): Generator<{ from: Node; next: Transition; states: number }> {
  const start: Node = { world: initialWorld(setting), step: undefined, from: undefined }
  const seen = new Set([identity(start.world)])
  const queue = [start]
  for (const from of queue) {
    for (const next of transitionsFrom(from.world, setting)) {
      const key = identity(next.world)
      if (!seen.has(key)) queue.push({ world: next.world, step: next.step, from })
      seen.add(key)
      yield { from, next, states: seen.size }
    }
  }
}

export function search(changes: Partial<Setting>): SearchResult {
  let states = 0
  for (const found of explore({ ...SETTING, ...changes })) {
    const { from, next } = found
    states = found.states
    if (next.broken)
      return { states, broken: { promise: next.broken, run: [...runTo(from), next.step] } }
  }
  return { states, broken: undefined }
}

export function runTo(node: Node): Step[] {
  const run: Step[] = []
  for (let at: Node | undefined = node; at?.step; at = at.from) run.push(at.step)
  return run.reverse()
}

export function describe({ states, broken }: SearchResult): string {
  if (!broken) return `${states} states, and no promise is broken`
  return [`${broken.promise}, after ${states} states:`, ...broken.run.map(inWords)].join('\n  ')
}

export function inWords(step: Step): string {
  if (step.do === 'deliver' || step.do === 'lose the response')
    return `tab ${step.tab + 1}: ${step.do}`
  if (step.do === 'open')
    return `${step.who} presents ${step.generation}: re-opened, then the process died`
  if (step.do !== 'present') return step.do
  const { who, generation, key, decision } = step
  const reopened = decision.reopenedAt === undefined ? '' : `re-opened at ${decision.reopenedAt}, `
  const withKey = key ? `with the key of ${key}` : 'without a key'
  return `${who} presents ${generation} ${withKey}: ${reopened}${decision.outcome}`
}

/** Returns a text that is equal for two worlds if all their properties are equal. */
function identityOf(world: World): string {
  const { rowReplica, waiting, trying, detection } = world
  const flags = `${+world.revoked}${+world.closed}${+world.theftFound}${+detection.isVictimServed}`
  const row = `${world.checkpoint}${rowReplica.checkpoint}${+rowReplica.revoked}`
  const generations = `${world.issued}${world.issuedSinceLoss}${world.newest}${world.sinceRotation}`
  const client = `${waiting.map(Number)} ${trying} ${world.lostResponses}`
  const { stolen, thiefNewest, victim, thief, ahead, leader } = detection
  const theft = `${stolen}${thiefNewest} ${victim} ${thief} ${ahead}${leader}`
  return `${hotStateKey(world)}/${flags}/${row}/${generations}/${client}/${theft}`
}

/** Identifies what the hot state has, may return to, and has lost. */
export function hotStateKey(world: World): string {
  const { replica, former, lost } = world
  const counts = `${lost.flushes}${lost.failOvers}${lost.returns}${lost.rowLosses}${lost.setBacks}`
  return `${serverKey(world)}/${serverKey(replica)}/${former ? serverKey(former) : ''}/${counts}`
}

function serverKey({ hot, published }: Server): string {
  return `${hotKey(hot)}${+published}`
}

export function hotKey(hot: HotSession | undefined): string {
  return hot ? `${hot.generation}${hot.age}${hot.key}${+hot.isStale}${hot.recurs}` : ''
}
