import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type KeyRecord, stateOf } from '../../src/keys/key-record.ts'
import {
  headOf,
  LEAD,
  LEEWAY,
  maintain,
  type Policy,
  retire,
  revoke,
  rotate,
  standbyOf,
} from '../../src/keys/lifecycle.ts'

const LIFE = 900_000
const DELAY = 600_000
const AGE = 86_400_000
const POLICY: Policy = { keyRotationAge: AGE, tokenLife: LIFE, algorithm: undefined }

let count = 0
const made = (now: number, changes: Partial<KeyRecord> = {}): KeyRecord => ({
  kid: `key-${++count}`,
  purpose: 'access',
  algorithm: 'EdDSA',
  jwk: {},
  sealed: 'sealed',
  tokenLife: LIFE,
  createdAt: now,
  readyAt: now + DELAY,
  signsFrom: null,
  retiredAt: null,
  expiresAt: null,
  revokedAt: null,
  ...changes,
})

/** One that signs, one that stands by, both old enough. */
function begin() {
  const current = made(0, { signsFrom: 0 })
  const standby = made(0)
  return { current, standby, keys: [current, standby], now: DELAY }
}

const states = (keys: readonly KeyRecord[], now: number) => keys.map((key) => stateOf(key, now))

test('a rotation lets the next key sign a moment later, and the last token of the old one outlive it by nothing', () => {
  const { keys, now } = begin()
  const after = rotate(keys, now)
  const at = now + LEAD
  assert.deepEqual(states(after, at - 1), ['current', 'next'])
  assert.deepEqual(states(after, at), ['retired', 'current'])
  assert.deepEqual(states(after, at + LIFE + LEEWAY - 1), ['retired', 'current'])
  assert.deepEqual(states(after, at + LIFE + LEEWAY), ['gone', 'current'])
})

test('a key that has not been published for long enough signs when it has', () => {
  const keys = [made(0, { signsFrom: 0 }), made(1_000)]
  assert.equal(headOf(rotate(keys, 2_000), 2_000)?.signsFrom, 1_000 + DELAY)
})

test('without a next key a rotation changes nothing', () => {
  const keys = [made(0, { signsFrom: 0 })]
  assert.equal(rotate(keys, DELAY), keys)
})

test('keys rotate by age, once, and another stands by', () => {
  const { keys } = begin()
  assert.deepEqual(
    maintain(keys, AGE - 1, POLICY).map((key, index) => key === keys[index]),
    [true, true],
  )
  const rotated = maintain(keys, AGE, POLICY)
  assert.equal(headOf(rotated, AGE), rotated[1])
  assert.equal(standbyOf(rotated, AGE), undefined)
  const kept = maintain(rotated, AGE + 1, POLICY, made(AGE + 1))
  assert.equal(headOf(kept, AGE + 1), kept[1])
  assert.equal(standbyOf(kept, AGE + 1), kept[2])
  const never = maintain(keys, 100 * AGE, { ...POLICY, keyRotationAge: undefined })
  assert.equal(headOf(never, AGE), keys[0])
})

test('a key that is gone loses its private half, and its row stays', () => {
  const { keys, now } = begin()
  const end = now + LEAD + LIFE + LEEWAY
  const [gone] = maintain(rotate(keys, now), end, POLICY)
  assert.deepEqual([gone?.sealed, gone?.jwk, gone?.kid], [null, null, keys[0]?.kid])
})

test('retired in order, the current key is rotated, the next one is gone, and the others stay as they are', () => {
  const { keys, current, standby, now } = begin()
  assert.deepEqual(retire(keys, current.kid, now), rotate(keys, now))
  const [, gone] = retire(keys, standby.kid, now)
  assert.equal(gone?.sealed, null)
  const rotated = rotate(keys, now)
  const later = now + LEAD
  assert.equal(retire(rotated, current.kid, later), rotated)
})

test('retired at once, the current key is gone and the next one signs in the same moment', () => {
  const { keys, current, now } = begin()
  const after = revoke(keys, current.kid, now)
  assert.deepEqual(states(after, now), ['gone', 'current'])
  assert.equal(after[0]?.sealed, null)
  assert.equal(revoke(after, current.kid, now + 1), after)
})

test('where the key that was about to sign is retired at once, the one before it goes on', () => {
  const { keys, standby, now } = begin()
  const after = revoke(rotate(keys, now), standby.kid, now + 1)
  assert.deepEqual(states(after, now + AGE), ['current', 'gone'])
})

test('a longer life of tokens is a longer life of the keys that still sign', () => {
  const { keys, now } = begin()
  const longer = { ...POLICY, tokenLife: 2 * LIFE }
  const [current] = maintain(rotate(keys, now), now + 1, longer)
  assert.equal(current?.expiresAt, now + LEAD + 2 * LIFE + LEEWAY)
})

test('started for another algorithm, the next key is one for it and is rotated to', () => {
  const { keys, now } = begin()
  const spare = made(now, { algorithm: 'ES256' })
  const after = maintain(keys, now, { ...POLICY, algorithm: 'ES256' }, spare)
  assert.deepEqual(states(after, now), ['current', 'gone', 'next'])
  assert.equal(headOf(after, now)?.kid, spare.kid)
  assert.equal(headOf(after, now)?.signsFrom, spare.readyAt)
})

/** What a node does: the latest of the line whose time it is. */
function signerAt(keys: readonly KeyRecord[], now: number): KeyRecord | undefined {
  const line = keys.filter((key) => stateOf(key, now) !== 'gone' && key.signsFrom !== null)
  return line
    .filter(({ signsFrom }) => (signsFrom ?? 0) <= now)
    .sort((a, b) => (b.signsFrom ?? 0) - (a.signsFrom ?? 0))[0]
}

test('whatever is done in whatever order, something signs, and verifies as long as what it signed, unless it was revoked', () => {
  const action = fc.record({
    what: fc.constantFrom('rotate', 'retire', 'revoke', 'maintain', 'maintain', 'maintain'),
    which: fc.nat(10),
    wait: fc.constantFrom(0, 1, LEAD - 1, LEAD, 10_000, DELAY, LIFE, AGE),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let now = 0
      let keys: readonly KeyRecord[] = [made(0, { signsFrom: 0 }), made(0)]
      const issued: { kid: string; exp: number }[] = []
      for (const { what, which, wait } of actions) {
        // Nodes sign all the time between two actions, and look after the keys all the time.
        for (const moment of [now, now + wait / 2, now + wait]) {
          now = moment
          keys = maintain(keys, now, POLICY, made(now))
          const signer = signerAt(keys, now)
          assert.ok(signer, 'something signs')
          issued.push({ kid: signer.kid, exp: now + LIFE })
        }
        const kid = keys[which % keys.length]?.kid ?? ''
        if (what === 'rotate') keys = rotate(keys, now)
        if (what === 'retire') keys = retire(keys, kid, now)
        if (what === 'revoke') keys = revoke(keys, kid, now)
        for (const { kid, exp } of issued) {
          const key = keys.find((other) => other.kid === kid)
          if (key && key.revokedAt === null && now < exp)
            assert.notEqual(stateOf(key, now), 'gone', `${kid} verifies`)
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
