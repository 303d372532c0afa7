import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, type Violations } from './checker.ts'
import type { Event, Guess } from './record.ts'

const RULES = { grace: 4_000, revocationMaxStaleness: 1_000, finish: 6_000, heldUp: 2_000 }

const queued = (seq: number, address = 'a'): Event => ({
  kind: 'mail-queued',
  mail: `${address}${seq}`,
  address,
  seq,
})
const arrived = (mail: string, isAccepted = true): Event => ({
  kind: 'mail-arrived',
  mail,
  isAccepted,
})
const left = (mail: string): Event => ({ kind: 'mail-left', mail })

/** Creates a guess that took 10 ms. */
const guess = (at: number, status = 401, account = 'a'): Guess => ({
  kind: 'guess',
  account,
  status,
  start: at,
  end: at + 10,
})
const guesses = (count: number, ...rest: [number, number?, string?]) =>
  Array.from({ length: count }, () => guess(...rest))

/** Returns the kinds of violations found, and how many there are of each. */
function found(...events: Event[]): Partial<Record<keyof Violations, number>> {
  const { violations } = check(events, RULES)
  const counted = Object.entries(violations).map(([name, list]) => [name, list.length] as const)
  return Object.fromEntries(counted.filter(([, count]) => count > 0))
}

test('mails that arrive in order, some of them again, have no violation', () => {
  const events = [queued(1), queued(2), arrived('a1'), left('a1'), arrived('a2'), left('a2')]
  assert.deepEqual(found(...events, arrived('a1')), {})
  assert.equal(check([...events, arrived('a1')], RULES).figures.mailCopies, 1)
})

test('a mail that left the outbox without being accepted is lost', () => {
  assert.deepEqual(found(queued(1), left('a1')), { mailsLost: 1 })
  assert.deepEqual(found(queued(1), arrived('a1', false), left('a1')), { mailsLost: 1 })
  assert.deepEqual(found(queued(1), arrived('a1', false), arrived('a1'), left('a1')), {})
  assert.deepEqual(found(queued(1)), {})
})

test('a mail that is first accepted after a later one of the same user is disordered', () => {
  assert.deepEqual(found(queued(1), queued(2), arrived('a2'), arrived('a1')), {
    mailsDisordered: 1,
  })
  const refused = [arrived('a1', false), arrived('a2'), arrived('a1')]
  assert.deepEqual(found(queued(1), queued(2), ...refused), { mailsDisordered: 1 })
  assert.deepEqual(found(queued(1), queued(2, 'b'), arrived('b2'), arrived('a1')), {})
})

test('guesses at one account are allowed at once, then with pauses that double', () => {
  assert.deepEqual(found(...guesses(11, 0), ...guesses(11, 0, 401, 'b')), {})
  assert.deepEqual(found(...guesses(12, 0)), { guessesBeyond: 1 })
  assert.deepEqual(found(...guesses(11, 0), guess(1_000), guess(3_000), guess(7_000)), {})
  assert.deepEqual(found(...guesses(11, 0), guess(1_000), guess(2_900)), { guessesBeyond: 1 })
})

test('a guess that was not checked does not count', () => {
  const unchecked = [guess(0, 429), guess(0, 503), guess(0, 0)]
  assert.deepEqual(found(...guesses(11, 0), ...unchecked), {})
})

test('an undocumented response to a guess, or to a request of a mail, is found', () => {
  assert.deepEqual(found(guess(0, 500)), { errors: 1 })
  assert.deepEqual(found({ kind: 'mail-request', status: 500, start: 0, end: 1 }), { errors: 1 })
})
