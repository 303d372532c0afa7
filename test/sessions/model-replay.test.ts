import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { retryKeyOf } from '../../src/sessions/rotation.ts'
import type { RotationResult } from '../../src/sessions/session-store.ts'
import { CONDEMNED, isKnown, PAST_GRACE } from '../support/sessions/model.ts'
import { SET_BACK_BY } from '../support/sessions/model-losses.ts'
import {
  explore,
  hotKey,
  hotStateKey,
  inWords,
  type Node,
  runTo,
} from '../support/sessions/model-search.ts'
import { FRAGILE_STORES, type FragileStore } from '../support/sessions/model-stores.ts'
import {
  SETTING,
  type Setting,
  type Step,
  type Transition,
  type World,
} from '../support/sessions/model-world.ts'
import { SETTINGS } from '../support/sessions/stores.ts'

const TICK = (SETTINGS.grace * 2) / 3
const AUTHORIZATION = { ver: 1, roles: [] }
/** Everything that can happen to a server: tokens of every age with every key, and every loss. */
const EVERYTHING: Setting = {
  ...SETTING,
  thief: true,
  interruptions: true,
  flushes: 1,
  failOvers: 1,
  returns: 1,
  rowLosses: 1,
  setBacks: 1,
  losses: 2,
  generations: 3,
}

interface Moment {
  step: Step
  before: World
  after: World
}

/**
 * Identifies what the server has stored and which tokens can be presented. What the clients know
 * makes no difference to the server.
 */
function identityOf(world: World): string {
  const { checkpoint, rowReplica, issued, revoked, newest, waiting, detection } = world
  const row = [checkpoint, revoked, rowReplica.checkpoint, rowReplica.revoked]
  const tokens = [issued, newest, waiting, detection.stolen, detection.thiefNewest]
  return [hotStateKey(world), ...row, ...tokens].join()
}

/**
 * Returns a short run to each step that is different for the server: of another kind, or from
 * another state of the server.
 */
function runs(): Moment[][] {
  const shortest = new Map<string, { from: Node; next: Transition }>()
  for (const { from, next } of explore(EVERYTHING, identityOf)) {
    const edge = edgeOf(from.world, next.step)
    if (edge && !shortest.has(edge)) shortest.set(edge, { from, next })
  }
  return [...shortest.values()].map(({ from, next }) => momentsTo(from, next))
}

function edgeOf(
  { hot, replica, former, checkpoint, revoked, lost }: World,
  step: Step,
): string | undefined {
  const state = [hotKey(hot), revoked, ...Object.values(lost)]
  switch (step.do) {
    case 'present':
    case 'open': {
      const row = hot && isKnown(hot) ? '' : checkpoint
      return [...state, row, step.do, step.generation, step.key].join()
    }
    case 'fail over':
      return [...state, hotKey(replica.hot), step.do].join()
    case 'return to the former server':
      return [...state, hotKey(former?.hot), step.do].join()
    case 'wait':
    case 'close':
    case 'lose everything':
    case 'set the clock back':
      return [...state, step.do].join()
    default:
      return undefined
  }
}

function momentsTo(from: Node, { step, world }: Transition): Moment[] {
  const moments = runTo(from).map((step) => ({ step }))
  const worlds: World[] = []
  for (let at: Node | undefined = from; at; at = at.from) worlds.unshift(at.world)
  return [...moments, { step }].map((moment, index) => {
    const before = worlds[index]
    assert.ok(before)
    return { ...moment, before, after: worlds[index + 1] ?? world }
  })
}

/** Repeats a run at a store, and checks that the store decides and stores the same as the model. */
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
  clock.advance(PAST_GRACE * TICK)
  await fragile.replicate()
  for (const { step, before, after } of moments) {
    if (step.do === 'wait') clock.advance(TICK)
    if (step.do === 'lose everything') await fragile.loseEverything()
    if (step.do === 'replicate') await fragile.replicate()
    if (step.do === 'close') await store.close(userId, sessionId)
    if (step.do === 'fail over') await fragile.failOver()
    if (step.do === 'return to the former server') await fragile.returnToFormer()
    if (step.do === 'set the clock back') await fragile.setBack(SET_BACK_BY * TICK)
    if (step.do === 'open') {
      const { requested, generation, key } = step
      await open(requested, requested === generation + 1 ? lostKey(key, generation) : null)
    }
    if (step.do === 'present') {
      const { generation, key, decision } = step
      const retryKey = lostKey(key, generation)
      const present = () => store.rotate(userId, sessionId, { generation, retryKey })
      let result = await present()
      const { requested } = decision
      if (requested !== undefined) {
        assert.equal(result.outcome, 'unknown')
        await open(requested, requested === generation + 1 ? retryKey : null)
        result = await present()
      }
      const current = decision.reopenedAt ?? before.hot?.generation
      assert.deepEqual(
        seen(result, after, clock()),
        expected(decision.outcome, after, current),
        JSON.stringify(step),
      )
    }
    const found = await store.find(userId, sessionId)
    const { generation, isStale } = after.hot ?? {}
    const live = isStale
      ? undefined
      : generation && { ...AUTHORIZATION, generation, absoluteExpiry }
    assert.deepEqual(found, generation === CONDEMNED ? 'condemned' : live)
  }

  // After the grace a refresh shows which retry key is stored, if any.
  const last = moments.at(-1)
  const { generation = 0, key = '' } = last?.after.hot ?? {}
  if (generation <= 1) return
  clock.advance(PAST_GRACE * TICK)
  if (last?.after.hot?.isStale) await open(generation, null)
  const tried = key || (last?.step.do === 'present' && last.step.key) || 'client'
  const retryKey = retryKeyOf(`${tried} for ${generation - 1}`)
  const { outcome } = await store.rotate(userId, sessionId, {
    generation: generation - 1,
    retryKey,
  })
  assert.equal(outcome, key ? 'replayed' : 'reused', `after the run, with the key of ${tried}`)
}

function seen(result: RotationResult, world: World, now: number) {
  if (result.outcome === 'reused')
    return { outcome: result.outcome, current: result.currentGeneration }
  if (!('currentToken' in result)) return { outcome: result.outcome }
  const { generation, rotatedAt } = result.currentToken
  const age = Math.min(PAST_GRACE, (now - rotatedAt) / TICK)
  return { outcome: result.outcome, generation, ...(showsAge(world) && { age }) }
}

/** After the clock was set back, the age that counts cannot be seen in the time of the rotation. */
function showsAge({ lost }: World): boolean {
  return lost.setBacks === 0
}

function expected(outcome: string, world: World, current: number | undefined) {
  const { hot } = world
  if (outcome === 'refused') return { outcome: 'unknown' }
  if (outcome === 'reused') return { outcome, current }
  return { outcome, generation: hot?.generation, ...(showsAge(world) && { age: hot?.age }) }
}

const RUNS = runs()

for (const [name, create] of Object.entries(FRAGILE_STORES)) {
  test(`The ${name} store decides as the model does, through every loss`, async (t) => {
    const createFragile = await create(t)
    t.diagnostic(`${RUNS.length} runs`)
    assert.ok(RUNS.length > 1_000)
    for (const moments of RUNS) {
      const userId = randomUUID()
      const run = () => moments.map(({ step }) => inWords(step)).join('\n  ')
      await replay(userId, await createFragile(userId), moments).catch((error) => {
        throw new Error(`${error.message}\nin:\n  ${run()}`, { cause: error })
      })
    }
  })
}
