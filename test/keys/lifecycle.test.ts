import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type KeyRecord, stateOf } from '../../src/keys/key-record.ts'
import {
  EXPIRY_LEEWAY,
  lastSignerOf,
  maintain,
  ROTATION_LEAD,
  type RotationPolicy,
  retire,
  revoke,
  rotate,
  standbyOf,
} from '../../src/keys/lifecycle.ts'

const LIFE = 900_000
const DELAY = 600_000
const AGE = 86_400_000
const POLICY: RotationPolicy = { keyRotationAge: AGE, tokenLife: LIFE, algorithm: undefined }

let count = 0
const createKey = (now: number, changes: Partial<KeyRecord> = {}): KeyRecord => ({
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

/** A current key and a standby key that has been published for long enough. */
function createKeys() {
  const current = createKey(0, { signsFrom: 0 })
  const standby = createKey(0)
  return { current, standby, keys: [current, standby], now: DELAY }
}

const states = (keys: readonly KeyRecord[], now: number) => keys.map((key) => stateOf(key, now))

test('a rotated key verifies until its last token has expired, and no longer', () => {
  const { keys, now } = createKeys()
  const after = rotate(keys, now)
  const at = now + ROTATION_LEAD
  assert.deepEqual(states(after, at - 1), ['current', 'next'])
  assert.deepEqual(states(after, at), ['retired', 'current'])
  assert.deepEqual(states(after, at + LIFE + EXPIRY_LEEWAY - 1), ['retired', 'current'])
  assert.deepEqual(states(after, at + LIFE + EXPIRY_LEEWAY), ['gone', 'current'])
})

test('a next key that has not been published for long enough signs once it has', () => {
  const keys = [createKey(0, { signsFrom: 0 }), createKey(1_000)]
  assert.equal(lastSignerOf(rotate(keys, 2_000), 2_000)?.signsFrom, 1_000 + DELAY)
})

test('a rotation without a next key changes nothing', () => {
  const keys = [createKey(0, { signsFrom: 0 })]
  assert.equal(rotate(keys, DELAY), keys)
})

test('a key is rotated once it has reached its age, and a new key becomes the next one', () => {
  const { keys } = createKeys()
  assert.deepEqual(
    maintain(keys, AGE - 1, POLICY).map((key, index) => key === keys[index]),
    [true, true],
  )
  const rotated = maintain(keys, AGE, POLICY)
  assert.equal(lastSignerOf(rotated, AGE), rotated[1])
  assert.equal(standbyOf(rotated, AGE), undefined)
  const renewed = maintain(rotated, AGE + 1, POLICY, createKey(AGE + 1))
  assert.equal(lastSignerOf(renewed, AGE + 1), renewed[1])
  assert.equal(standbyOf(renewed, AGE + 1), renewed[2])
  const never = maintain(keys, 100 * AGE, { ...POLICY, keyRotationAge: undefined })
  assert.equal(lastSignerOf(never, AGE), keys[0])
})

test('an expired key loses its private half, and its row stays', () => {
  const { keys, now } = createKeys()
  const expiry = now + ROTATION_LEAD + LIFE + EXPIRY_LEEWAY
  const [expired] = maintain(rotate(keys, now), expiry, POLICY)
  assert.deepEqual([expired?.sealed, expired?.jwk, expired?.kid], [null, null, keys[0]?.kid])
})

test('retiring the current key rotates it, and retiring the next key erases it', () => {
  const { keys, current, standby, now } = createKeys()
  assert.deepEqual(retire(keys, current.kid, now), rotate(keys, now))
  const [, erased] = retire(keys, standby.kid, now)
  assert.equal(erased?.sealed, null)
  const rotated = rotate(keys, now)
  const later = now + ROTATION_LEAD
  assert.equal(retire(rotated, current.kid, later), rotated)
})

test('when the current key is revoked, the next key signs from the same moment', () => {
  const { keys, current, now } = createKeys()
  const after = revoke(keys, current.kid, now)
  assert.deepEqual(states(after, now), ['gone', 'current'])
  assert.equal(after[0]?.sealed, null)
  assert.equal(revoke(after, current.kid, now + 1), after)
})

test('when a key is revoked before it signs, its predecessor goes on signing', () => {
  const { keys, standby, now } = createKeys()
  const after = revoke(rotate(keys, now), standby.kid, now + 1)
  assert.deepEqual(states(after, now + AGE), ['current', 'gone'])
})

test('a longer token life extends the life of the keys that still sign', () => {
  const { keys, now } = createKeys()
  const longer = { ...POLICY, tokenLife: 2 * LIFE }
  const [current] = maintain(rotate(keys, now), now + 1, longer)
  assert.equal(current?.expiresAt, now + ROTATION_LEAD + 2 * LIFE + EXPIRY_LEEWAY)
})

test('a change of the algorithm creates a next key for it and rotates to that key', () => {
  const { keys, now } = createKeys()
  const newKey = createKey(now, { algorithm: 'ES256' })
  const after = maintain(keys, now, { ...POLICY, algorithm: 'ES256' }, newKey)
  assert.deepEqual(states(after, now), ['current', 'gone', 'next'])
  assert.equal(lastSignerOf(after, now)?.kid, newKey.kid)
  assert.equal(lastSignerOf(after, now)?.signsFrom, newKey.readyAt)
})

/** Chooses the signing key as a node does: the last one whose time has come. */
function signerAt(keys: readonly KeyRecord[], now: number): KeyRecord | undefined {
  const signers = keys.filter((key) => stateOf(key, now) !== 'gone' && key.signsFrom !== null)
  return signers
    .filter(({ signsFrom }) => (signsFrom ?? 0) <= now)
    .sort((a, b) => (b.signsFrom ?? 0) - (a.signsFrom ?? 0))[0]
}

test('after any actions some key signs, and unrevoked keys verify while their tokens live', () => {
  const action = fc.record({
    what: fc.constantFrom('rotate', 'retire', 'revoke', 'maintain', 'maintain', 'maintain'),
    which: fc.nat(10),
    wait: fc.constantFrom(0, 1, ROTATION_LEAD - 1, ROTATION_LEAD, 10_000, DELAY, LIFE, AGE),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let now = 0
      let keys: readonly KeyRecord[] = [createKey(0, { signsFrom: 0 }), createKey(0)]
      const issued: { kid: string; exp: number }[] = []
      for (const { what, which, wait } of actions) {
        // Nodes sign tokens and maintain the keys all the time, also between two actions.
        for (const moment of [now, now + wait / 2, now + wait]) {
          now = moment
          keys = maintain(keys, now, POLICY, createKey(now))
          const signer = signerAt(keys, now)
          assert.ok(signer, 'there is a signing key')
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
