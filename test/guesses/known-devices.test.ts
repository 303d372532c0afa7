import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKnownDevices, DEVICE_LIFETIME } from '../../src/guesses/known-devices.ts'
import { createClock } from '../support/clock.ts'

const ADA = 'ada@example.com'
const BOB = 'bob@example.com'

test('a proof is good for its account alone, in any case of the letters', () => {
  const devices = createKnownDevices('a secret', createClock())
  const proof = devices.add(undefined, ADA)
  assert.ok(devices.find(proof, 'Ada@Example.com'))
  assert.equal(devices.find(proof, BOB), undefined)
  assert.equal(devices.find(undefined, ADA), undefined)
  assert.notEqual(devices.find(proof, ADA)?.id, devices.find(devices.add('', ADA), ADA)?.id)
  assert.doesNotMatch(Buffer.from(proof, 'base64url').toString('latin1'), /ada/i)
})

test('a device keeps its id, and the last five accounts that logged in', () => {
  const devices = createKnownDevices('a secret', createClock())
  let proof = devices.add(undefined, ADA)
  const id = devices.find(proof, ADA)?.id
  for (let i = 0; i < 4; i++) proof = devices.add(proof, `user${i}@example.com`)
  assert.equal(devices.find(proof, ADA)?.id, id)
  proof = devices.add(proof, ADA)
  assert.equal(devices.find(proof, ADA)?.id, id)
  for (let i = 4; i < 8; i++) proof = devices.add(proof, `user${i}@example.com`)
  assert.equal(devices.find(proof, ADA)?.id, id)
  proof = devices.add(proof, BOB)
  assert.equal(devices.find(proof, ADA), undefined)
  assert.ok(proof.length < 512)
})

test('a proof that was changed in any byte is good for nothing', () => {
  const devices = createKnownDevices('a secret', createClock())
  const proof = devices.add(undefined, ADA)
  const bytes = Buffer.from(proof, 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    assert.equal(devices.findAny(changed.toString('base64url')), undefined)
  }
  for (const text of ['', '.', '....', proof.slice(1), `${proof}${proof}`, 'ä', 'x'.repeat(5_000)])
    assert.equal(devices.findAny(text), undefined)
})

test('a proof survives a change of the secret while the old one is listed, and expires', () => {
  const clock = createClock()
  const proof = createKnownDevices('old', clock).add(undefined, ADA)
  const both = createKnownDevices('new,old', clock)
  const id = both.find(proof, ADA)?.id
  assert.ok(id)
  const renewed = both.add(proof, ADA)
  assert.equal(createKnownDevices('new', clock).find(renewed, ADA)?.id, id)
  assert.equal(createKnownDevices('new', clock).find(proof, ADA), undefined)
  clock.advance(DEVICE_LIFETIME * 1_000 + 2_000)
  assert.equal(both.find(proof, ADA), undefined)
})
