import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { CLOCK_TOLERANCE } from '../../src/common/clocks.ts'
import type {
  Authorization,
  CurrentToken,
  RotationResult,
  SessionStore,
} from '../../src/sessions/session-store.ts'
import { createClock, type TestClock } from '../support/clock.ts'
import { SETTINGS, STORES } from '../support/sessions/stores.ts'

const RUNS = 3_000
const SESSIONS = 5
const KEYS = [null, '0011223344aa', '0011223344bb']

type Step =
  | { do: 'open'; session: number; ver: number; life: number }
  | { do: 'present'; session: number; back: number; key: number }
  | { do: 'close'; session: number }
  | { do: 'find'; session: number }
  | { do: 'wait'; ms: number }
  | { do: 'set back'; ms: number }

const session = fc.nat(SESSIONS - 1)
/** Around every limit of the rules. */
const wait = fc.oneof(
  fc.constantFrom(
    0,
    1,
    SETTINGS.grace,
    SETTINGS.grace + 1,
    SETTINGS.refreshIdleTtl - 1,
    SETTINGS.refreshIdleTtl,
  ),
  fc.integer({ min: 0, max: 2 * SETTINGS.grace }),
)
/** Around the tolerance of the clock, and around the limits of the rules. */
const setBack = fc.oneof(
  fc.constantFrom(1, CLOCK_TOLERANCE, CLOCK_TOLERANCE + 1, SETTINGS.grace, SETTINGS.refreshIdleTtl),
  fc.integer({ min: 1, max: 2 * SETTINGS.grace }),
)
const life = fc.constantFrom(SETTINGS.grace, SETTINGS.refreshIdleTtl, 5 * SETTINGS.refreshIdleTtl)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('open' as const), session, ver: fc.nat(3), life }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('present' as const),
      session,
      // Generations behind the newest one. Most clients present the newest or the one before it.
      back: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, { weight: 1, arbitrary: fc.nat(4) }),
      key: fc.nat(KEYS.length - 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), session }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('find' as const), session }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: wait }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set back' as const), ms: setBack }) },
)
const history = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' })

/** What an observer of requests and responses knows of a session: the promises, not the rules. */
interface Observed {
  id: string
  authorization: Authorization
  absoluteExpiry: number
  newest: number
  successors: Map<number, CurrentToken>
  /** When the token of each generation expires. */
  expiries: Map<number, number>
  /** When each generation was first spent, and the keys that came with it within the grace. */
  spent: Map<number, { at: number; keys: Set<string | null> }>
  ended: boolean
  wasExpired: boolean
}

class Observer {
  readonly userId = randomUUID()
  opened = 0
  readonly sessions = new Map<number, Observed>()
  /** Milliseconds that have really passed, whatever the clock says. */
  passed = 0
  /** The value of `passed` when the store noticed that the clock was set back. */
  setBackAt = Number.NEGATIVE_INFINITY
  /** Milliseconds by which the clock was set back without notice. */
  unnoticed = 0

  open(index: number, session: Pick<Observed, 'authorization' | 'absoluteExpiry'>): Observed {
    const fresh = {
      ...session,
      id: randomUUID(),
      newest: 1,
      successors: new Map(),
      expiries: new Map(),
      spent: new Map(),
      ended: false,
      wasExpired: false,
    }
    this.sessions.set(index, fresh)
    return fresh
  }

  /** A store may have removed these sessions, even if the clock goes back to before their expiry. */
  noteExpired(now: number): void {
    for (const observed of this.sessions.values())
      if (now >= (observed.expiries.get(observed.newest) ?? now)) observed.wasExpired = true
  }

  evicted(ids: string[]): void {
    for (const observed of this.sessions.values())
      if (ids.includes(observed.id)) observed.ended = true
  }

  presented(
    observed: Observed,
    generation: number,
    key: string | null,
    result: RotationResult,
  ): void {
    const successor = 'currentToken' in result ? result.currentToken : undefined
    if (observed.ended) assert.equal(successor, undefined, 'an ended session was served')
    if (!successor) {
      observed.ended = true
      return
    }
    // A generation has one successor, whatever races.
    const known = observed.successors.get(generation)
    assert.deepEqual(successor, known ?? successor, 'a generation has two successors')
    assert.equal(successor.generation, generation + 1)
    const before = observed.successors.get(generation - 1)?.rotatedAt ?? 0
    assert.ok(successor.rotatedAt >= before, 'the time of a session ran backwards')
    observed.successors.set(generation, successor)
    observed.expiries.set(successor.generation, successor.expiresAt)
    // A spent token is never served after the grace without a key that was presented in time. If
    // the clock was set back, the grace counts from then.
    const first = observed.spent.get(generation)
    if (first) {
      const passed = this.passed - Math.max(first.at, this.setBackAt)
      const inTime = passed <= SETTINGS.grace + this.unnoticed
      assert.ok(inTime || (key !== null && first.keys.has(key)), 'a spent token was served')
      if (inTime) first.keys.add(key)
    } else {
      observed.spent.set(generation, { at: this.passed, keys: new Set([key]) })
    }
    observed.newest = Math.max(observed.newest, successor.generation)
  }
}

async function replay(
  store: SessionStore,
  clock: TestClock,
  observer: Observer,
  steps: Step[],
  ids: string[],
) {
  const outcomes: unknown[] = []
  for (const step of steps) {
    if (step.do === 'wait') {
      clock.advance(step.ms)
      observer.passed += step.ms
      continue
    }
    const { userId } = observer
    observer.noteExpired(clock())
    if (step.do === 'set back') {
      clock.advance(-step.ms)
      // A node reads the clock all the time.
      await store.rotate(userId, randomUUID(), { generation: 1, retryKey: null })
      if (step.ms > CLOCK_TOLERANCE) observer.setBackAt = observer.passed
      else observer.unnoticed += step.ms
      continue
    }
    const known = observer.sessions.get(step.session)
    if (step.do === 'open') {
      const authorization = { ver: step.ver, roles: [`v${step.ver}`] }
      const absoluteExpiry = clock() + step.life
      const observed = observer.open(step.session, { authorization, absoluteExpiry })
      observed.id = ids[observer.opened++] ?? observed.id
      const opened = await store.open({
        userId,
        sessionId: observed.id,
        absoluteExpiry,
        authorization,
        generation: 1,
        retryKey: null,
      })
      observed.expiries.set(1, opened.currentToken.expiresAt)
      observer.evicted(opened.evicted)
      outcomes.push(opened)
    } else if (!known) {
      outcomes.push(await store.find(userId, randomUUID()))
    } else if (step.do === 'close') {
      known.ended = true
      outcomes.push(await store.close(userId, known.id))
    } else if (step.do === 'find') {
      const found = await store.find(userId, known.id)
      if (known.ended) assert.notEqual(typeof found, 'object', 'an ended session was found alive')
      outcomes.push(found)
    } else {
      const generation = Math.max(1, known.newest - step.back)
      const key = KEYS[step.key] ?? null
      const present = () => store.rotate(userId, known.id, { generation, retryKey: key })
      let result = await present()
      const isExpired = clock() >= (known.expiries.get(generation) ?? 0)
      const mayReopen = !known.ended && !known.wasExpired && !isExpired
      if (result.outcome === 'unknown' && mayReopen) {
        const { newest, authorization, absoluteExpiry } = known
        const session = { userId, sessionId: known.id, authorization, absoluteExpiry }
        const opened = await store.open({ ...session, generation: newest, retryKey: null })
        observer.evicted(opened.evicted)
        outcomes.push(opened)
        result = await present()
      }
      observer.presented(known, generation, key, result)
      outcomes.push(result)
    }
  }
  return outcomes
}

async function checkHistory(t: TestContext, runs: number): Promise<void> {
  const clocks = { memory: createClock(), redis: createClock() }
  const memory = await STORES.memory(t, clocks.memory)
  const redis = await STORES.redis(t, clocks.redis)
  const property = fc.asyncProperty(history, async (steps) => {
    const start = 1_800_000_000_000
    for (const clock of Object.values(clocks)) clock.advance(start - clock())
    const ids = steps.map(() => randomUUID())
    const [one, other] = [new Observer(), new Observer()]
    const expected = await replay(memory, clocks.memory, one, steps, ids)
    assert.deepEqual(await replay(redis, clocks.redis, other, steps, ids), expected)
  })
  await fc.assert(property, { numRuns: runs })
}

test('Both stores decide alike and keep the promises, whatever happens in any order', (t) =>
  checkHistory(t, RUNS))
