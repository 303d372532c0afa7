import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createAdmission } from '../../src/db/admission.ts'

const SIZE = 4
const GROW_AFTER = 1_000

/** Creates a queue with a clock of its own, in which no statement waits too long. */
function setUp(size = SIZE) {
  let time = 0
  const admission = createAdmission({
    size,
    queueLimit: 60_000,
    growAfter: GROW_AFTER,
    now: () => time,
  })
  const admitted: string[] = []
  return {
    admitted,
    enter: (kind: string, name = kind) =>
      admission.enter(kind).then(
        () => void admitted.push(name),
        () => {},
      ),
    leave: (kind: string) => admission.leave(kind),
    refused: () => admission.refused(),
    pass: (ms: number) => {
      time += ms
    },
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

const command = fc.oneof(
  fc.record({ type: fc.constant('enter' as const), kind: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ type: fc.constant('leave' as const), kind: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ type: fc.constant('refused' as const) }),
)

test('Statements stay within the bounds, and each is admitted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 6 }),
      fc.array(command, { maxLength: 60 }),
      async (size, commands) => {
        const queue = setUp(size)
        const running: string[] = []
        let entered = 0
        let admitted = 0
        const settle = async () => {
          await settled()
          running.push(...queue.admitted.splice(0))
        }
        const leave = async (kind: string) => {
          const index = running.indexOf(kind)
          if (index < 0) return
          running.splice(index, 1)
          admitted += 1
          queue.leave(kind)
          await settle()
        }
        for (const next of commands) {
          if (next.type === 'enter') {
            entered += 1
            void queue.enter(next.kind)
          } else if (next.type === 'leave') await leave(next.kind)
          else queue.refused()
          await settle()
          assert.ok(running.length <= size)
          for (const kind of ['a', 'b', 'c'])
            assert.ok(running.filter((other) => other === kind).length <= Math.ceil(size / 2))
        }
        while (running.length > 0) await leave(running[0] ?? '')
        assert.equal(admitted, entered)
      },
    ),
    { numRuns: 200 },
  )
})

test('Statements of one kind are admitted in the order of their arrival', async () => {
  const queue = setUp(1)
  for (const name of ['first', 'second', 'third']) void queue.enter('a', name)
  for (let count = 0; count < 3; count++) {
    await settled()
    queue.leave('a')
  }
  assert.deepEqual(queue.admitted, ['first', 'second', 'third'])
})

test('Another kind continues while one kind holds its half of the connections', async () => {
  const queue = setUp()
  for (let count = 0; count < 10; count++) void queue.enter('blocked')
  void queue.enter('other')
  await settled()
  assert.deepEqual(queue.admitted, ['blocked', 'blocked', 'other'])
})

test('The pool grows again some time after a connection was refused', async () => {
  const queue = setUp(2)
  void queue.enter('a')
  await settled()
  queue.refused()
  queue.leave('a')
  for (const kind of ['b', 'c', 'd']) void queue.enter(kind)
  await settled()
  assert.deepEqual(queue.admitted, ['a', 'b'])
  queue.pass(GROW_AFTER)
  queue.leave('b')
  await settled()
  assert.deepEqual(queue.admitted, ['a', 'b', 'c', 'd'])
})

test('A statement that waits too long is refused and never admitted', async () => {
  const queue = createAdmission({ size: 1, queueLimit: 1, growAfter: 0, now: () => 0 })
  await queue.enter('a')
  await assert.rejects(queue.enter('a'), { code: 'AUTH_UNAVAILABLE' })
  queue.leave('a')
  await queue.enter('a')
})
