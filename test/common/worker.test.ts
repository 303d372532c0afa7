import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createWorker } from '../../src/common/worker.ts'

/** A worker whose runs finish when the test says so, on timers that the test moves. */
function setUp(t: TestContext, firstDelay?: number) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const finish: ((next: number | undefined) => void)[] = []
  const worker = createWorker({
    interval: 1_000,
    ...(firstDelay !== undefined && { firstDelay }),
    work: () => new Promise((resolve) => finish.push(resolve)),
  })
  return {
    worker,
    runs: () => finish.length,
    pass: (ms: number) => t.mock.timers.tick(ms),
    /** Finishes the latest run, which asks for the next one after `next` milliseconds. */
    async finishRun(next?: number) {
      finish.at(-1)?.(next)
      await setImmediate()
    },
  }
}

test('A worker waits for the end of a run and the interval before the next run', async (t) => {
  const { worker, runs, pass, finishRun } = setUp(t)
  worker.start()
  pass(999)
  assert.equal(runs(), 0)
  pass(1)
  assert.equal(runs(), 1)
  pass(5_000)
  assert.equal(runs(), 1)
  await finishRun()
  pass(999)
  assert.equal(runs(), 1)
  pass(1)
  assert.equal(runs(), 2)
})

test('The first run may have a delay of its own, and each run may choose the next', async (t) => {
  const { worker, runs, pass, finishRun } = setUp(t, 0)
  worker.start()
  pass(0)
  assert.equal(runs(), 1)
  await finishRun(50)
  pass(49)
  assert.equal(runs(), 1)
  pass(1)
  assert.equal(runs(), 2)
})

test('A run on demand replaces the scheduled one, and joins a run in flight', async (t) => {
  const { worker, runs, pass, finishRun } = setUp(t)
  worker.start()
  pass(900)
  const first = worker.run()
  const second = worker.run()
  assert.equal(runs(), 1)
  await finishRun()
  await Promise.all([first, second])
  pass(999)
  assert.equal(runs(), 1)
  pass(1)
  assert.equal(runs(), 2)
})

test('A worker that is stopped waits for the run in flight and schedules no other', async (t) => {
  const { worker, runs, pass, finishRun } = setUp(t)
  worker.start()
  pass(1_000)
  let isStopped = false
  const stopped = worker.stop().then(() => {
    isStopped = true
  })
  await setImmediate()
  assert.equal(isStopped, false)
  await finishRun(10)
  await stopped
  pass(5_000)
  assert.equal(runs(), 1)
})

test('A worker that is stopped before its first run never runs', async (t) => {
  const { worker, runs, pass } = setUp(t)
  worker.start()
  await worker.stop()
  pass(5_000)
  assert.equal(runs(), 0)
})
