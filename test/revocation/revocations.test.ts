import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createClock } from '../support/clock.ts'

const LIFETIME = 900_000
const sid = uuid({ msecs: 1_000 })
const token = { sub: 'ada', sid, ver: 3 }

function setUp() {
  const clock = createClock(0)
  return { clock, known: createRevocations(() => LIFETIME, clock) }
}

test('A token that no revocation applies to is accepted', () => {
  const { known } = setUp()
  known.add({ kind: 'session', sessionId: 'other' })
  known.add({ kind: 'user', userId: 'grace', ver: 9 })
  known.add({ kind: 'user', userId: 'ada', ver: 3 })
  known.add({ kind: 'everything', before: 1_000 })
  assert.equal(known.denies(token), false)
})

test('Each kind of revocation denies the tokens it applies to, and no others', () => {
  const revoked = [
    { kind: 'session', sessionId: sid },
    { kind: 'user', userId: 'ada', ver: 4 },
    { kind: 'user', userId: 'ada', ver: 4, except: 'other' },
    { kind: 'everything', before: 1_001 },
  ] as const
  for (const revocation of revoked) {
    const { known } = setUp()
    known.add(revocation)
    assert.equal(known.denies(token), true, JSON.stringify(revocation))
  }
  const { known } = setUp()
  known.add({ kind: 'user', userId: 'ada', ver: 4, except: sid })
  assert.equal(known.denies(token), false)
})

test('Entries may arrive twice or in the wrong order: the strictest one counts', () => {
  const { known } = setUp()
  known.add({ kind: 'user', userId: 'ada', ver: 5 })
  known.add({ kind: 'user', userId: 'ada', ver: 4, except: sid })
  assert.equal(known.denies({ ...token, ver: 4 }), true)
  known.add({ kind: 'everything', before: 2_000 })
  known.add({ kind: 'everything', before: 500 })
  assert.equal(known.denies({ ...token, sub: 'grace' }), true)
  known.add({ kind: 'session', sessionId: 'two' })
  known.add({ kind: 'session', sessionId: 'two' })
  assert.equal(known.size(), 2)
})

test('An entry expires with the last token it applies to, and a repeated entry lives on', () => {
  const { clock, known } = setUp()
  for (let i = 0; i < 1_000; i++) known.add({ kind: 'session', sessionId: `session ${i}` })
  clock.advance(LIFETIME - 1)
  known.add({ kind: 'session', sessionId: 'session 0' })
  assert.equal(known.size(), 1_000)
  clock.advance(1)
  known.add({ kind: 'session', sessionId: 'new' })
  assert.equal(known.size(), 2)
  assert.equal(known.denies({ ...token, sid: 'session 0' }), true)
  assert.equal(known.denies({ ...token, sid: 'session 1' }), false)
})
