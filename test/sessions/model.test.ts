import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { isServed, PAST_GRACE, present, RULES, type Rules } from '../support/sessions/model.ts'
import { describe, search } from '../support/sessions/model-search.ts'
import { initialWorld, SETTING, type Setting } from '../support/sessions/model-world.ts'

const ANY_TWO_LOSSES = {
  flushes: 2,
  failOvers: 2,
  returns: 2,
  rowLosses: 2,
  setBacks: 2,
  losses: 2,
}
const FLUSHED_TWICE = { flushes: 2, losses: 2 }
const EVERY_RESPONSE_ARRIVES = { lostResponses: 0 }

const WITH_A_THIEF: [string, Partial<Setting>][] = [
  ['two tabs and no loss', { tabs: 2 }],
  ['a client without keys and no loss', { client: 'no key' }],
  ['everything lost once', { flushes: 1 }],
  ['the last writes lost once', { failOvers: 1, generations: 3 }],
  ['a server that returns', { failOvers: 1, returns: 1, losses: 2, generations: 3 }],
  ['the last commits of Postgres lost once', { rowLosses: 1, generations: 3 }],
  ['a clock that is set back once', { setBacks: 1, generations: 3 }],
  [
    'a clock that is set back, and everything lost',
    { setBacks: 1, flushes: 1, losses: 2, generations: 3 },
  ],
]

const HONEST: [string, Partial<Setting>][] = [
  ['two tabs that store one key beside their token', { tabs: 2 }],
  [
    'two tabs without keys that retry for the grace period and no longer',
    { tabs: 2, client: 'no key', generations: 3 },
  ],
  [
    'two tabs with a key each, if every response arrives',
    { tabs: 2, client: 'own keys', ...EVERY_RESPONSE_ARRIVES },
  ],
]

function keepsPromises(t: TestContext, changes: Partial<Setting>): void {
  const result = search(changes)
  t.diagnostic(describe(result))
  assert.ok(!result.broken, describe(result))
  // A search that stopped too early would find nothing either.
  assert.ok(result.states > 1_000, describe(result))
}

function breaks(promise: string, changes: Partial<Setting>, rules: Partial<Rules> = {}): void {
  const result = search({ ...changes, rules: { ...RULES, ...rules } })
  assert.equal(result.broken?.promise, promise, describe(result))
}

for (const [who, changes] of HONEST) {
  test(`No honest client is logged out or taken for a thief, whatever is lost: ${who}`, (t) =>
    keepsPromises(t, { ...ANY_TWO_LOSSES, ...changes }))
}

for (const [which, changes] of WITH_A_THIEF) {
  test(`Thief and victim are not both served, and after detection neither is: ${which}`, (t) =>
    keepsPromises(t, { thief: true, losses: 1, ...changes }))
}

test('If nothing but a rotation stores the key, an honest client is taken for a thief', () =>
  breaks('an honest client is taken for a thief', FLUSHED_TWICE, {
    adoption: false,
    reopeningKeepsKey: false,
  }))

test('If data from before a fail-over are trusted, an honest client needs the healing', (t) => {
  keepsPromises(t, { failOvers: 1, rules: { ...RULES, healing: false } })
  const rules = { eras: false, healing: false }
  breaks('an honest client is taken for a thief', { failOvers: 1 }, rules)
})

test('Without healing, a re-opening needs the newer of checkpoint and token', (t) => {
  const healing = false
  keepsPromises(t, { tabs: 2, ...FLUSHED_TWICE, rules: { ...RULES, healing } })
  breaks('an honest client is taken for a thief', FLUSHED_TWICE, {
    healing,
    reopenAt: 'the checkpoint',
  })
})

test('A re-opening that ignores the checkpoint takes a spent token for the newest', () =>
  breaks(
    'a re-opening ignores the checkpoint',
    { thief: true, flushes: 1 },
    { reopenAt: 'the presented' },
  ))

test('A thief who waits is not detected if spent tokens live until their successor is used', () =>
  breaks('thief and victim are both served', { thief: true }, { spentUntilUsed: true }))

test('A replay that makes a successor of its own gives a generation two successors', () =>
  breaks('a generation has two successors', {}, { oneSuccessor: false }))

test('A fail-over brings a revoked session back if its data are trusted', () =>
  breaks('a revoked session is served', { failOvers: 1 }, { eras: false }))

test('A server that returns as it was brings a revoked session back if eras have no order', () =>
  breaks('a revoked session is served', { failOvers: 1, returns: 1 }, { orderedEras: false }))

test('A Postgres that loses its last commits brings a revoked session back if it is not healed', () =>
  breaks('a revoked session is served', { rowLosses: 1 }, { postgresIsHealed: false }))

test('If nobody notices that the clock was set back, a spent token is served for long', () =>
  breaks(
    'a spent token is served after the grace',
    { setBacks: 1, thief: true },
    { setBackIsNoticed: false },
  ))

test('A spent token becomes fresh again with the time of its rotation, without a new era', () =>
  breaks(
    'a spent token is served after the grace',
    { setBacks: 1, thief: true },
    { eraAfterSetBack: false },
  ))

test('The key of a late retry survives a process that dies between re-opening and rotating', (t) => {
  keepsPromises(t, { tabs: 2, ...ANY_TWO_LOSSES, interruptions: true })
  keepsPromises(t, { thief: true, flushes: 1, generations: 3, interruptions: true })
})

test('A re-opening that does not store the key in the same write loses it then', () =>
  breaks(
    'an honest client is taken for a thief',
    { flushes: 1, interruptions: true },
    { reopeningKeepsKey: false },
  ))

// The limits of the rules. These tests show what the rules do not promise.

test('Limit: a tab with a key of its own is taken for a thief after the grace', () => {
  breaks('an honest client is taken for a thief', { tabs: 2, client: 'own keys', lostResponses: 1 })
  breaks('an honest client is taken for a thief', { tabs: 2, client: 'no key, own clocks' })
})

test('Limit: a thief who follows each refresh within the grace is not detected', () => {
  let { hot } = initialWorld(SETTING)
  for (let generation = 1; generation < 100; generation++) {
    for (const key of ['victim', 'thief']) {
      const response = present(hot, { checkpoint: 1, revoked: false }, generation, key, RULES)
      assert.ok(isServed(response))
      hot = response.hot
    }
    hot = hot && { ...hot, age: PAST_GRACE }
  }
})
