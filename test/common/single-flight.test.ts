import assert from 'node:assert/strict'
import { test } from 'node:test'
import { singleFlight } from '../../src/common/single-flight.ts'

test('Calls during a run share its result, and the next call starts a new run', async () => {
  const finish: ((value: number) => void)[] = []
  const run = singleFlight(() => new Promise<number>((resolve) => finish.push(resolve)))
  const calls = [run(), run()]
  assert.equal(finish.length, 1)
  finish[0]?.(1)
  assert.deepEqual(await Promise.all(calls), [1, 1])

  const next = run()
  assert.equal(finish.length, 2)
  finish[1]?.(2)
  assert.equal(await next, 2)
})

test('Calls during a run that fails share its error, and the next call can succeed', async () => {
  let runs = 0
  const run = singleFlight(async () => {
    runs++
    if (runs === 1) throw new Error('failed')
    return runs
  })
  const results = await Promise.allSettled([run(), run()])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(await run(), 2)
})

test('The run in flight can be awaited without starting one', async () => {
  let finish = (_value: string) => {}
  const run = singleFlight(() => new Promise<string>((resolve) => (finish = resolve)))
  assert.equal(run.inFlight(), undefined)
  const first = run()
  assert.equal(run.inFlight(), first)
  finish('done')
  assert.equal(await first, 'done')
  assert.equal(run.inFlight(), undefined)
})
