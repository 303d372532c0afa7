import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHashQueue } from '../../src/users/hash-queue.ts'

const refusal = () => new Error('refused')
const settings = { concurrency: 1, maxWaiting: 4, maxWait: 60_000, refusal }

function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** Returns the order in which jobs of these groups run behind one that occupies the queue. */
async function runInOrder(groups: string[], options = settings) {
  const { run } = createHashQueue(options)
  const occupied = withResolvers()
  const first = run('first', () => occupied.promise)
  const order: string[] = []
  const jobs = groups.map((group, index) =>
    run(group, async () => order.push(`${group}${index}`)).catch(() => order.push(`-${index}`)),
  )
  // Refusals come before the queue moves on.
  await new Promise(setImmediate)
  occupied.resolve()
  await Promise.all([first, ...jobs])
  return order
}

test('Groups take turns, and each has its own order', async () => {
  assert.deepEqual(await runInOrder(['a', 'a', 'b', 'a']), ['a0', 'b2', 'a1', 'a3'])
})

test('If too many jobs wait, the newest of the largest group is refused', async () => {
  const order = await runInOrder(['a', 'a', 'a', 'a', 'b', 'c'])
  assert.deepEqual(order, ['-3', '-2', 'a0', 'b4', 'c5', 'a1'])
})

test('A job whose turn does not come in time is refused, and its place is free again', async () => {
  const { run } = createHashQueue({ ...settings, maxWaiting: 1, maxWait: 5 })
  const occupied = withResolvers()
  const first = run('a', () => occupied.promise)
  await assert.rejects(
    run('b', async () => {}),
    /refused/,
  )
  const second = run('b', async () => 'done')
  occupied.resolve()
  await first
  assert.equal(await second, 'done')
})

test('A failed job rejects alone', async () => {
  const { run } = createHashQueue(settings)
  const failed = run('a', () => Promise.reject(new Error('a bad hash')))
  const other = run('a', async () => 'done')
  await assert.rejects(failed, /a bad hash/)
  assert.equal(await other, 'done')
})
