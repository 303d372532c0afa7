import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLOCK_TOLERANCE, createMachineClock, createSharedClock } from '../../src/common/clocks.ts'

const HOUR = 3_600_000

test('A reply that was delayed is not taken for a clock that was set back', () => {
  const clock = createSharedClock()
  const server = Date.now()
  clock.observe(server, performance.now())
  // The request was sent a minute ago, and the reply has its time.
  clock.observe(server - 60_000, performance.now() - 60_000)
  // Without the time of the request, nothing is known about the delay.
  clock.observe(server - HOUR)
  assert.equal(clock.timesSetBack(), 0)
  assert.equal(clock.steadySince(), server)
})

test('A clock that is set back by more than the tolerance is noticed', () => {
  const clock = createSharedClock()
  const server = Date.now()
  clock.observe(server, performance.now())
  clock.observe(server - CLOCK_TOLERANCE / 2, performance.now())
  assert.equal(clock.timesSetBack(), 0)
  clock.observe(server - HOUR, performance.now())
  assert.equal(clock.timesSetBack(), 1)
  assert.equal(clock.steadySince(), server - HOUR)
  assert.ok(Math.abs(clock.lag() - HOUR) < HOUR / 2)
  assert.ok(clock.now() < server - HOUR / 2)
})

test('The first time of a server is no step back, whatever this machine says', () => {
  const clock = createSharedClock()
  const server = Date.now() - HOUR
  clock.observe(server, performance.now())
  assert.equal(clock.timesSetBack(), 0)
  assert.equal(clock.steadySince(), server)
  assert.equal(clock.lag(), 0)
})

test('The clock of the machine follows it in both directions, and notices the way back', (t) => {
  const { now } = Date
  let offset = 0
  t.mock.method(Date, 'now', () => now() + offset)
  const clock = createMachineClock()
  const [start, kept] = [clock.now(), clock.keepingTime()]
  offset = HOUR
  assert.ok(clock.now() >= start + HOUR)
  assert.equal(clock.timesSetBack(), 0)
  assert.ok(Math.abs(clock.keepingTime() - kept) < HOUR / 2)
  offset = 0
  assert.ok(clock.now() < start + HOUR / 2)
  assert.equal(clock.timesSetBack(), 1)
  assert.ok(Math.abs(clock.lag() - HOUR) < HOUR / 2)
  assert.ok(Math.abs(clock.keepingTime() - kept + HOUR) < HOUR / 2)
})
