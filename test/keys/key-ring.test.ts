import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyRecord } from '../../src/keys/key-record.ts'
import { createKeyRing, type RingKey } from '../../src/keys/key-ring.ts'

const NOW = 1_800_000_000_000

function ringKey(kid: string, times: Partial<KeyRecord>): RingKey {
  const record: KeyRecord = {
    kid,
    purpose: 'access',
    algorithm: 'EdDSA',
    jwk: { kid },
    sealed: 'sealed',
    tokenLife: 900_000,
    createdAt: NOW,
    readyAt: NOW,
    signsFrom: null,
    retiredAt: null,
    expiresAt: null,
    revokedAt: null,
    ...times,
  }
  return { record, jwt: { sign: () => '', verify: () => ({}) } }
}

test('the key that signs is published first, even if this clock is a moment behind', () => {
  const keys = [
    ringKey('standby', {}),
    ringKey('signing', { signsFrom: NOW }),
    ringKey('retired', { signsFrom: NOW - 9_000, retiredAt: NOW, expiresAt: NOW + 900_000 }),
  ]
  for (const [at, first] of [
    [NOW, 'signing'],
    // The retired key still signs at that time, as this node sees it.
    [NOW - 1, 'retired'],
  ] as const) {
    const ring = createKeyRing({ now: () => at })
    ring.replaceKeys(keys, at)
    assert.equal(ring.keySet().keys[0]?.kid, first)
  }
  const ring = createKeyRing({ now: () => NOW - 1 })
  ring.replaceKeys(keys.slice(0, 2), NOW - 1)
  assert.equal(ring.keySet().keys[0]?.kid, 'signing')
})
