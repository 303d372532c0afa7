import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { retryKeyOf } from '../../src/sessions/rotation.ts'
import type { RotationResult } from '../../src/sessions/session-store.ts'
import { CONDEMNED, LATER } from '../support/sessions/model.ts'
import { explore, hotKey, inWords, type Node, runTo } from '../support/sessions/model-search.ts'
import { FRAGILE_STORES, type FragileStore } from '../support/sessions/model-stores.ts'
import {
  type Next,
  SETTING,
  type Setting,
  type Step,
  type World,
} from '../support/sessions/model-world.ts'
import { SETTINGS } from '../support/sessions/stores.ts'

const TICK = (SETTINGS.grace * 2) / 3
const AUTHORIZATION = { ver: 1, roles: [] }
/** All that a server can meet: tokens of every age, with every key, and everything that can be lost. */
const EVERYTHING: Setting = {
  ...SETTING,
  thief: true,
  interruptions: true,
  flushes: 1,
  failOvers: 1,
  losses: 2,
  generations: 3,
}

interface Moment {
  step: Step
  before: World
  after: World
}

/** What the server has, and which tokens there are to present; who knows or remembers what makes no difference to it. */
function identityOf({ hot, replica, ...world }: World): string {
  const { checkpoint, issued, revoked, flushes, failOvers, newest, waiting, pursuit } = world
  const truth = [checkpoint, issued, revoked, flushes, failOvers]
  const tokens = [newest, waiting, pursuit.stolen, pursuit.loot]
  return [hotKey(hot), hotKey(replica), ...truth, ...tokens].join()
}

/** A short run to each step that is another one to the server: of another kind, or from another state of it. */
function runs(): Moment[][] {
  const shortest = new Map<string, { from: Node; next: Next }>()
  for (const { from, next } of explore(EVERYTHING, identityOf)) {
    const edge = edgeOf(from.world, next.step)
    if (edge && !shortest.has(edge)) shortest.set(edge, { from, next })
  }
  return [...shortest.values()].map(({ from, next }) => momentsTo(from, next))
}

function edgeOf(
  { hot, replica, checkpoint, revoked, flushes, failOvers }: World,
  step: Step,
): string | undefined {
  const state = [hotKey(hot), revoked, flushes, failOvers]
  switch (step.do) {
    case 'present':
    case 'open':
      return [...state, hot ? '' : checkpoint, step.do, step.generation, step.key].join()
    case 'fail over':
      return [...state, hotKey(replica), step.do].join()
    case 'wait':
    case 'close':
    case 'lose everything':
      return [...state, step.do].join()
    default:
      return undefined
  }
}

function momentsTo(from: Node, { step, world }: Next): Moment[] {
  const moments = runTo(from).map((step) => ({ step }))
  const worlds: World[] = []
  for (let at: Node | undefined = from; at; at = at.from) worlds.unshift(at.world)
  return [...moments, { step }].map((moment, index) => {
    const before = worlds[index]
    assert.ok(before)
    return { ...moment, before, after: worlds[index + 1] ?? world }
  })
}

/** Does to a store what a run does to the model, and demands that it answers and remembers the same. */
async function replay(userId: string, fragile: FragileStore, moments: Moment[]): Promise<void> {
  const { store, clock } = fragile
  const sessionId = randomUUID()
  const absoluteExpiry = clock() + 100 * SETTINGS.refreshIdleTtl
  const lostKey = (key: string, presented: number) =>
    retryKeyOf(key ? `${key} for ${presented}` : undefined)
  const open = (generation: number, retryKey: string | null) =>
    store.open({
      userId,
      sessionId,
      absoluteExpiry,
      authorization: AUTHORIZATION,
      generation,
      retryKey,
    })

  await open(1, null)
  clock.advance(LATER * TICK)
  await fragile.replicate()
  for (const { step, before, after } of moments) {
    if (step.do === 'wait') clock.advance(TICK)
    if (step.do === 'lose everything') await fragile.loseEverything()
    if (step.do === 'replicate') await fragile.replicate()
    if (step.do === 'close') await store.close(userId, sessionId)
    if (step.do === 'fail over') {
      await fragile.failOver()
      if (before.revoked) await store.close(userId, sessionId)
    }
    if (step.do === 'open') {
      const { generation = CONDEMNED, key = '' } = after.hot ?? {}
      await open(generation, lostKey(key, generation - 1))
    }
    if (step.do === 'present') {
      const { generation, key, answer } = step
      const retryKey = lostKey(key, generation)
      const present = () => store.rotate(userId, sessionId, { generation, retryKey })
      let result = await present()
      if (answer.reopenedAt !== undefined) {
        assert.equal(result.outcome, 'unknown')
        await open(answer.reopenedAt, answer.reopenedAt === generation + 1 ? retryKey : null)
        result = await present()
      }
      const current = answer.reopenedAt ?? before.hot?.generation
      assert.deepEqual(
        seen(result, clock()),
        expected(answer.outcome, after, current),
        JSON.stringify(step),
      )
    }
    const found = await store.find(userId, sessionId)
    const { generation } = after.hot ?? {}
    const goesOn = generation && { ver: AUTHORIZATION.ver, generation }
    assert.deepEqual(found, generation === CONDEMNED ? 'condemned' : goesOn)
  }

  // Which retry key is stored, if any, shows when the grace is over.
  const last = moments.at(-1)
  const { generation = 0, key = '' } = last?.after.hot ?? {}
  if (generation <= 1) return
  clock.advance(LATER * TICK)
  const tried = key || (last?.step.do === 'present' && last.step.key) || 'client'
  const retryKey = retryKeyOf(`${tried} for ${generation - 1}`)
  const { outcome } = await store.rotate(userId, sessionId, {
    generation: generation - 1,
    retryKey,
  })
  assert.equal(outcome, key ? 'replayed' : 'reused', `afterwards, with the key of ${tried}`)
}

function seen(result: RotationResult, now: number) {
  if (result.outcome === 'reused')
    return { outcome: result.outcome, current: result.currentGeneration }
  if (!('currentToken' in result)) return { outcome: result.outcome }
  const { generation, rotatedAt } = result.currentToken
  return { outcome: result.outcome, generation, age: Math.min(LATER, (now - rotatedAt) / TICK) }
}

function expected(outcome: string, { hot }: World, current: number | undefined) {
  if (outcome === 'refused') return { outcome: 'unknown' }
  if (outcome === 'reused') return { outcome, current }
  return { outcome, generation: hot?.generation, age: hot?.age }
}

const RUNS = runs()

for (const [name, create] of Object.entries(FRAGILE_STORES)) {
  test(`${name} store: it answers as the model does, through every loss`, async (t) => {
    const fragileFor = await create(t)
    t.diagnostic(`${RUNS.length} runs`)
    assert.ok(RUNS.length > 1_000)
    for (const moments of RUNS) {
      const userId = randomUUID()
      const run = () => moments.map(({ step }) => inWords(step)).join('\n  ')
      await replay(userId, await fragileFor(userId), moments).catch((error) => {
        throw new Error(`${error.message}\nin:\n  ${run()}`, { cause: error })
      })
    }
  })
}
