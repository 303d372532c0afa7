import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffDelay, retry, withJitter } from '../../src/common/backoff.ts'

const BACKOFF = { first: 100, longest: 450 }

/** A clock that moves by the pauses that are asked for, and by `attemptTime` with each attempt. */
function setUp(attemptTime = 0) {
  const pauses: number[] = []
  let now = 5_000
  return {
    pauses,
    timing: {
      now: () => now,
      async pause(ms: number) {
        pauses.push(ms)
        now += ms
      },
    },
    /** Returns an attempt that fails `failures` times. */
    failing(failures: number) {
      const remaining: number[] = []
      const attempt = async (ms: number) => {
        remaining.push(ms)
        now += attemptTime
        if (remaining.length <= failures) throw new Error(`failure ${remaining.length}`)
        return 'done'
      }
      return { attempt, remaining }
    },
  }
}

test('The delay doubles with each failure, up to the longest', () => {
  const delays = [0, 1, 2, 3, 4, 50].map((failures) => backoffDelay(failures, BACKOFF))
  assert.deepEqual(delays, [100, 100, 200, 400, 450, 450])
})

test('Jitter leaves between half of a delay and all of it', (t) => {
  const random = t.mock.method(Math, 'random', () => 0)
  assert.equal(withJitter(1_000), 500)
  random.mock.mockImplementation(() => 0.999_999)
  assert.equal(withJitter(1_000), 1_000)
})

test('A retry pauses between attempts, and passes each one the time that remains', async () => {
  const { timing, pauses, failing } = setUp(10)
  const { attempt, remaining } = failing(3)
  assert.equal(await retry(attempt, { ...BACKOFF, limit: 2_000, timing }), 'done')
  assert.deepEqual(pauses, [100, 200, 400])
  assert.deepEqual(remaining, [2_000, 1_890, 1_680, 1_270])
})

test('A retry gives up with the last error before a pause that would reach the limit', async () => {
  const { timing, pauses, failing } = setUp()
  const { attempt } = failing(100)
  await assert.rejects(retry(attempt, { ...BACKOFF, limit: 700, timing }), { message: 'failure 3' })
  assert.deepEqual(pauses, [100, 200])
})

test('An error that is not temporary ends a retry at once', async () => {
  const { timing, pauses, failing } = setUp()
  const { attempt, remaining } = failing(100)
  const isTemporary = (error: unknown) => !/failure 2/.test(String(error))
  const options = { ...BACKOFF, limit: 10_000, isTemporary, timing }
  await assert.rejects(retry(attempt, options), { message: 'failure 2' })
  assert.equal(remaining.length, 2)
  assert.deepEqual(pauses, [100])
})
