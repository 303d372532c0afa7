import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { GuessStore, Settlement, TallyRequest } from '../../src/guesses/guess-store.ts'
import { createClock } from '../support/clock.ts'
import { rule, testGuessStore } from '../support/guesses/store-conformance.ts'
import { GUESS_STORES } from '../support/guesses/stores.ts'

const RUNS = 1_000

for (const [name, create] of Object.entries(GUESS_STORES)) testGuessStore(name, create)

type Step =
  | { do: 'reserve'; key: number; tallies: TallyRequest[] }
  | { do: 'settle'; key: number; names: string[]; settlement: Settlement }
  | { do: 'forget'; key: number }
  | { do: 'wait'; ms: number }

const key = fc.nat(1)
const RULES: TallyRequest[] = [
  { name: 'strict', rule: rule({ limit: 3, free: 3 }) },
  { name: 'paused', rule: rule({ limit: 8, free: 2, longestPause: 5_000, memory: 3_600_000 }) },
  { name: 'loose', rule: rule({ limit: 20, free: 20, memory: 7 }) },
]
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      key,
      tallies: fc.subarray(RULES, { minLength: 1 }),
    }),
  },
  fc.record({
    do: fc.constant('settle' as const),
    key,
    names: fc.subarray(['strict', 'paused', 'loose'], { minLength: 1 }),
    settlement: fc.constantFrom<Settlement>('cleared', 'returned'),
  }),
  fc.record({ do: fc.constant('forget' as const), key }),
  fc.record({
    do: fc.constant('wait' as const),
    ms: fc.constantFrom(0, 1, 7, 1_000, 2_000, 5_000, 60_000, 180_000, 3_600_000, -1, -60_000),
  }),
)

test('both stores allow and refuse the same guesses', async (t) => {
  const clock = createClock()
  const stores = [await GUESS_STORES.memory(t, clock), await GUESS_STORES.redis(t, clock)]
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      run++
      for (const one of steps) {
        const results = await Promise.all(stores.map((store) => take(store, one, `${run}`)))
        assert.deepEqual(results[0], results[1], JSON.stringify(one))
        if (one.do === 'wait') clock.advance(one.ms)
      }
    }),
    { numRuns: RUNS },
  )
})

async function take(store: GuessStore, one: Step, run: string) {
  if (one.do === 'wait') return undefined
  const name = `${run} ${one.key}`
  if (one.do === 'reserve') return store.reserve(name, one.tallies)
  if (one.do === 'settle') return store.settle(name, one.names, one.settlement)
  return store.forget(name)
}
