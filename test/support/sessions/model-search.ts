import type { Hot } from './model.ts'
import { nextOf } from './model-steps.ts'
import {
  beginning,
  type Next,
  SETTING,
  type Setting,
  type Step,
  type World,
} from './model-world.ts'

/** How a state was first reached. */
export interface Node {
  world: World
  step: Step | undefined
  from: Node | undefined
}

export interface Found {
  states: number
  /** The first broken promise, with a shortest run that breaks it. */
  broken: { promise: string; run: Step[] } | undefined
}

/** Every step from every state that can be reached, nearest first; states with one identity are taken for one. */
export function* explore(
  setting: Setting,
  identity: (world: World) => string = identityOf,
): Generator<{ from: Node; next: Next; states: number }> {
  const start: Node = { world: beginning(setting), step: undefined, from: undefined }
  const seen = new Set([identity(start.world)])
  const queue = [start]
  for (const from of queue) {
    for (const next of nextOf(from.world, setting)) {
      const key = identity(next.world)
      if (!seen.has(key)) queue.push({ world: next.world, step: next.step, from })
      seen.add(key)
      yield { from, next, states: seen.size }
    }
  }
}

export function search(changes: Partial<Setting>): Found {
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

export function describe({ states, broken }: Found): string {
  if (!broken) return `${states} states, and no promise is broken`
  return [`${broken.promise}, after ${states} states:`, ...broken.run.map(inWords)].join('\n  ')
}

export function inWords(step: Step): string {
  if (step.do === 'deliver' || step.do === 'lose the answer')
    return `tab ${step.tab + 1}: ${step.do}`
  if (step.do === 'open') return `${step.who} presents ${step.generation}: re-opened, and no more`
  if (step.do !== 'present') return step.do
  const { who, generation, key, answer } = step
  const reopened = answer.reopenedAt === undefined ? '' : `re-opened at ${answer.reopenedAt}, `
  return `${who} presents ${generation} ${key ? `with the key of ${key}` : 'without a key'}: ${reopened}${answer.outcome}`
}

/** Every property of a world counts; equal ones in equal order. */
function identityOf(world: World): string {
  const { hot, replica, waiting, trying, pursuit: p } = world
  const flags = `${+world.revoked}${+world.closed}${+world.found}${+p.victimDecided}${world.flushes}${world.failOvers}`
  const counts = `${world.checkpoint}${world.issued}${world.made}${world.newest}${world.lostAnswers}`
  const client = `${waiting.map(Number)} ${trying}`
  const pursuit = `${p.stolen}${p.loot} ${p.victim} ${p.thief} ${p.ahead}${p.leader}`
  return `${hotKey(hot)}/${hotKey(replica)}/${flags}/${counts}/${client}/${pursuit}`
}

export function hotKey(hot: Hot | undefined): string {
  return hot ? `${hot.generation}${hot.age}${hot.key}` : ''
}
