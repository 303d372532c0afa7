import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createExpiringMap } from '../../src/revocation/expiring-map.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const time = fc.nat(20)
const step = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, time }),
  fc.record({ kind: fc.constant('remove' as const), time }),
)

test('An expiring map keeps every entry until its time, and none when all have expired', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = createExpiringMap<number>((value) => value)
      const expected = new Map<string, number>()
      for (const one of steps) {
        if (one.kind === 'set') {
          map.set(one.key, one.time)
          expected.set(one.key, one.time)
          continue
        }
        map.removeUntil(one.time)
        for (const [name, value] of expected) if (value <= one.time) expected.delete(name)
        for (const [name, value] of expected) assert.equal(map.get(name), value)
      }
      map.removeUntil(20)
      assert.equal(map.size(), 0)
      map.set('a', 21)
      assert.equal(map.get('a'), 21)
    }),
  )
})
