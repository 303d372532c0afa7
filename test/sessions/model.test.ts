import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isServed, LATER, present, type Rules, TABLE } from '../support/sessions/model.ts'
import { describe, search } from '../support/sessions/model-search.ts'
import { beginning, SETTING, type Setting } from '../support/sessions/model-world.ts'

const ANY_TWO_LOSSES = { flushes: 2, failOvers: 2, losses: 2 }
const FLUSHED_TWICE = { flushes: 2, losses: 2 }
const AS_SOON_AS_POSSIBLE = { lostAnswers: 0 }

const WITH_A_THIEF: [string, Partial<Setting>][] = [
  ['two tabs and no loss', { tabs: 2 }],
  ['a client without keys and no loss', { client: 'no key' }],
  ['everything lost once', { flushes: 1 }],
  ['the last writes lost once', { failOvers: 1, generations: 3 }],
]

const HONEST: [string, Partial<Setting>][] = [
  ['two tabs that keep one key beside their token', { tabs: 2 }],
  [
    'two tabs without keys that try for the grace period and no longer',
    { tabs: 2, client: 'no key', generations: 3 },
  ],
  [
    'two tabs with a key each, while every answer arrives',
    { tabs: 2, client: 'own keys', ...AS_SOON_AS_POSSIBLE },
  ],
]

function keepsItsPromises(changes: Partial<Setting>): void {
  const found = search(changes)
  assert.ok(!found.broken, describe(found))
  // A search that got nowhere would find nothing either.
  assert.ok(found.states > 1_000, describe(found))
}

function breaks(promise: string, changes: Partial<Setting>, rules: Partial<Rules> = {}): void {
  const found = search({ ...changes, rules: { ...TABLE, ...rules } })
  assert.equal(found.broken?.promise, promise, describe(found))
}

for (const [who, changes] of HONEST) {
  test(`whatever is lost, no honest client is judged a thief or logged out: ${who}`, () =>
    keepsItsPromises({ ...ANY_TWO_LOSSES, ...changes }))
}

for (const [which, changes] of WITH_A_THIEF) {
  test(`thief and victim do not both go on, and nothing is served after that: ${which}`, () =>
    keepsItsPromises({ thief: true, losses: 1, ...changes }))
}

test('where neither a replay nor a re-opening takes up the key, an honest client is judged a thief', () =>
  breaks('an honest client is judged a thief', FLUSHED_TWICE, {
    adoption: false,
    reopeningKeepsKey: false,
  }))

test('without healing an honest client is judged a thief', () =>
  breaks('an honest client is judged a thief', { failOvers: 1 }, { healing: false }))

test('without healing a re-opening at the checkpoint alone judges an honest client a thief, and at the newer none', () => {
  const healing = false
  keepsItsPromises({ tabs: 2, ...FLUSHED_TWICE, rules: { ...TABLE, healing } })
  breaks('an honest client is judged a thief', FLUSHED_TWICE, {
    healing,
    reopenAt: 'the checkpoint',
  })
})

test('a re-opening that does not ask the checkpoint takes a long spent token for the newest', () =>
  breaks(
    'a re-opening forgets what the checkpoint has seen',
    { thief: true, flushes: 1 },
    { reopenAt: 'the presented' },
  ))

test('a thief who waits is not found where a spent token is good until its successor is used', () =>
  breaks('thief and victim both go on', { thief: true }, { spentUntilUsed: true }))

test('a replay that makes a successor of its own gives a generation two', () =>
  breaks('a generation has two successors', {}, { oneSuccessor: false }))

test('a fail-over brings a revoked session back where it is not closed again', () =>
  breaks('a revoked session is served', { failOvers: 1 }, { closingAgain: false }))

test('a process that dies between re-opening and trying again leaves the key of a late retry', () => {
  keepsItsPromises({ tabs: 2, ...ANY_TWO_LOSSES, interruptions: true })
  keepsItsPromises({ thief: true, flushes: 1, generations: 3, interruptions: true })
})

test('a re-opening that does not store the key in the same write loses it then', () =>
  breaks(
    'an honest client is judged a thief',
    { flushes: 1, interruptions: true },
    { reopeningKeepsKey: false },
  ))

// The limits of the table, so that nobody takes them for promises.

test('limit: a tab that makes a key of its own, when the grace of another tab is over, is judged a thief', () => {
  breaks('an honest client is judged a thief', { tabs: 2, client: 'own keys', lostAnswers: 1 })
  breaks('an honest client is judged a thief', { tabs: 2, client: 'no key, own clocks' })
})

test('limit: a thief who follows each refresh within the grace is not found while he keeps that up', () => {
  let { hot } = beginning(SETTING)
  for (let generation = 1; generation < 100; generation++) {
    for (const key of ['victim', 'thief']) {
      const answer = present(hot, { checkpoint: 1, revoked: false }, generation, key, TABLE)
      assert.ok(isServed(answer))
      hot = answer.hot
    }
    hot = hot && { ...hot, age: LATER }
  }
})
