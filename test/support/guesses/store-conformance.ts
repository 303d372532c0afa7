import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GuessStore } from '../../../src/guesses/guess-store.ts'
import type { TallyRule } from '../../../src/guesses/tally.ts'
import { createClock } from '../clock.ts'
import type { CreateGuessStore } from './stores.ts'

export const rule = (changes: Partial<TallyRule> = {}): TallyRule => ({
  limit: 5,
  memory: 60_000,
  free: 5,
  longestPause: 0,
  ...changes,
})

const reserve = (store: GuessStore, key: string, ...rules: TallyRule[]) =>
  store.reserve(
    key,
    rules.map((one, index) => ({ name: `tally ${index}`, rule: one })),
  )

/** Tests an implementation of the interface. */
export function testGuessStore(name: string, create: CreateGuessStore): void {
  test(`${name}: a limit is never exceeded by guesses at the same time`, async (t) => {
    const store = await create(t, createClock())
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, () => reserve(store, 'account', rule({ limit: 30, free: 30 }))),
    )
    assert.equal(outcomes.filter(({ outcome }) => outcome === 'reserved').length, 30)
  })

  test(`${name}: guesses add up and are forgotten together`, async (t) => {
    const clock = createClock()
    const store = await create(t, clock)
    for (let i = 0; i < 5; i++)
      assert.equal((await reserve(store, 'account', rule())).outcome, 'reserved')
    const refused = { outcome: 'refused', name: 'tally 0', wait: 300_000 }
    assert.deepEqual(await reserve(store, 'account', rule()), refused)
    // What is refused does not count, so that nobody keeps a limit in force by trying.
    clock.advance(299_999)
    assert.deepEqual(await reserve(store, 'account', rule()), { ...refused, wait: 1 })
    clock.advance(1)
    for (let i = 0; i < 5; i++)
      assert.equal((await reserve(store, 'account', rule())).outcome, 'reserved')
    assert.equal((await reserve(store, 'account', rule())).outcome, 'refused')
  })

  test(`${name}: the pauses between guesses double until the longest one`, async (t) => {
    const clock = createClock()
    const store = await create(t, clock)
    const paused = rule({ limit: 9, free: 2, longestPause: 5_000 })
    const waits = []
    for (let guesses = 0; guesses < 9; ) {
      const reservation = await reserve(store, 'account', paused)
      const wait = reservation.outcome === 'refused' ? reservation.wait : 0
      if (wait === 0) guesses++
      else waits.push(wait)
      clock.advance(wait)
    }
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 5_000, 5_000, 5_000])
  })

  test(`${name}: nothing is counted if one of several tallies refuses`, async (t) => {
    const store = await create(t, createClock())
    const loose = rule({ limit: 100, free: 100 })
    await reserve(store, 'account', loose, rule({ limit: 1 }))
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await reserve(store, 'account', loose, rule({ limit: 1 })), {
        outcome: 'refused',
        name: 'tally 1',
        wait: 60_000,
      })
    for (let i = 0; i < 99; i++)
      assert.equal((await reserve(store, 'account', loose)).outcome, 'reserved')
    assert.equal((await reserve(store, 'account', loose)).outcome, 'refused')
    assert.equal((await reserve(store, 'another account', loose)).outcome, 'reserved')
  })

  test(`${name}: a returned guess does not count, and a right password clears`, async (t) => {
    const store = await create(t, createClock())
    for (let i = 0; i < 20; i++) {
      assert.equal((await reserve(store, 'account', rule())).outcome, 'reserved')
      await store.settle('account', ['tally 0'], 'returned')
    }
    for (let i = 0; i < 4; i++) await reserve(store, 'account', rule())
    await store.settle('account', ['tally 0', 'never counted'], 'cleared')
    // More may be returned than is left, if the account was cleared meanwhile.
    await store.settle('account', ['tally 0'], 'returned')
    for (let i = 0; i < 5; i++)
      assert.equal((await reserve(store, 'account', rule())).outcome, 'reserved')
    assert.equal((await reserve(store, 'account', rule())).outcome, 'refused')
    await store.forget('account')
    assert.equal((await reserve(store, 'account', rule())).outcome, 'reserved')
  })

  test(`${name}: a clock that is set back makes no wait longer`, async (t) => {
    const clock = createClock()
    const store = await create(t, clock)
    const paused = rule({ limit: 3, free: 1, longestPause: 5_000 })
    await reserve(store, 'account', paused)
    await reserve(store, 'account', paused)
    clock.advance(-3_600_000)
    const wait = async () => {
      const reservation = await reserve(store, 'account', paused)
      return reservation.outcome === 'refused' ? reservation.wait : 0
    }
    assert.equal(await wait(), 1_000)
    clock.advance(3_601_000)
    assert.equal(await wait(), 0)
    clock.advance(-3_600_000)
    assert.equal(await wait(), 180_000)
  })
}
