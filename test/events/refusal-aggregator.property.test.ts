import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRefusalAggregator, type RefusalEvent } from '../../src/events/refusal-aggregator.ts'

const TYPES = ['access_denied', 'token_rejected', 'limit_reached'] as const
const CODES = ['AUTH_FORBIDDEN', 'AUTH_INVALID_TOKEN'] as const

const refusal = fc
  .record({
    type: fc.constantFrom(...TYPES),
    code: fc.constantFrom(...CODES),
    route: fc.constantFrom('GET /auth/me', 'GET /admin/users'),
    userId: fc.option(fc.nat({ max: 30 }).map(String), { nil: undefined }),
    ip: fc.nat({ max: 40 }).map((last) => `203.0.113.${last}`),
  })
  .map(({ type, userId, ip, ...detail }): RefusalEvent => {
    return { type, userId, device: { ip, userAgent: undefined }, detail }
  })

const keyOf = ({ type, detail }: RefusalEvent) => `${type} ${detail.code}`

function totals(events: readonly RefusalEvent[]) {
  const sums: Record<string, number> = {}
  for (const event of events)
    sums[keyOf(event)] = (sums[keyOf(event)] ?? 0) + (event.detail.times ?? 1)
  return sums
}

test('every refusal is counted once under its type and code, in a bounded number of rows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(refusal, { maxLength: 300, size: 'max' }), { maxLength: 5 }),
      (windows) => {
        const recorded: RefusalEvent[] = []
        const aggregator = createRefusalAggregator((event) => recorded.push(event))
        for (const window of windows) {
          const before = recorded.length
          window.forEach(aggregator.add)
          aggregator.flush()
          const rows = recorded.slice(before)
          assert.deepEqual(totals(rows), totals(window))
          assert.ok(rows.length <= TYPES.length * (2 * 20 + CODES.length), String(rows.length))
          // The first of each type is not held back.
          const firsts = new Set(window.map(({ type }) => type)).size
          assert.ok(rows.filter(({ detail }) => detail.times === undefined).length >= firsts)
        }
        aggregator.flush()
        assert.deepEqual(totals(recorded), totals(windows.flat()))
      },
    ),
  )
})
