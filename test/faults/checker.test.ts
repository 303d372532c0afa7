import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, type Violations } from './checker.ts'
import type { Access, Event, Fault, Logout, Opened, Party, Refresh } from './record.ts'

const RULES = { grace: 4_000, revocationMaxStaleness: 1_000, finish: 6_000, heldUp: 2_000 }

/** Times are in seconds. A response takes 10 ms. */
const span = (at: number) => ({ start: at * 1000, end: at * 1000 + 10, session: 's', server: 0 })

const opened = (at: number): Opened => ({ kind: 'opened', status: 201, ...span(at) })

/** Creates a refresh with generation `from` that got the next one, unless `rest` says otherwise. */
function refresh(at: number, party: Party, from: number, rest: Partial<Refresh> = {}): Refresh {
  const tokens = { presented: `t${from}`, generation: from, returned: `t${from + 1}` }
  return { kind: 'refresh', party, status: 200, ...tokens, ...span(at), ...rest }
}

/** Creates a refresh without a usable response. */
function refused(at: number, party: Party, from: number, status = 401): Refresh {
  const { returned: _, ...rest } = refresh(at, party, from, { status })
  return rest
}

const logout = (at: number, status = 204): Logout => ({ kind: 'logout', status, ...span(at) })
const access = (at: number, status = 200, expires = 60): Access => ({
  kind: 'access',
  status,
  expires: expires * 1000,
  ...span(at),
})

function fault(from: number, to: number, rest: Partial<Fault> = {}): Fault {
  const what = {
    name: 'a fault',
    losesWrites: false,
    losesCommits: false,
    shiftsClock: false,
    oneServer: false,
  }
  return { kind: 'fault', start: from * 1000, end: to * 1000, ...what, ...rest }
}

const lossy = (from: number, to: number) => fault(from, to, { losesWrites: true })

/** Returns the kinds of violations found, and how many there are of each. */
function found(...events: Event[]): Partial<Record<keyof Violations, number>> {
  const { violations } = check(events, RULES)
  const counted = Object.entries(violations).map(([name, list]) => [name, list.length] as const)
  return Object.fromEntries(counted.filter(([, count]) => count > 0))
}

test('a session that is used, refreshed and logged out has no violation', () => {
  const events = [opened(0), access(1), refresh(2, 'owner', 1), refresh(8, 'owner', 2), logout(9)]
  assert.deepEqual(found(...events, access(9.5), access(10.5, 401), refused(9.5, 'probe', 3)), {})
})

test('an honest client that is refused is found', () => {
  assert.deepEqual(found(opened(0), refresh(1, 'owner', 1), refused(6, 'owner', 2)), {
    honestLogouts: 1,
  })
  assert.deepEqual(found(opened(0), access(5, 401)), { honestLogouts: 1 })
})

test('a client that logged out, was stolen from, or only got 503 is not an honest log-out', () => {
  assert.deepEqual(found(opened(0), logout(1, 0), refused(2, 'owner', 1)), {})
  assert.deepEqual(found(opened(0), refused(1, 'owner', 1, 503), refused(2, 'owner', 1, 0)), {})
  assert.deepEqual(found(opened(0), refresh(1, 'thief', 1), refused(9, 'owner', 1)), {})
})

test('a spent token without its key that comes too late may be refused', () => {
  const first = refresh(1, 'owner', 1, { key: 'a' })
  assert.deepEqual(found(opened(0), first, refused(6, 'owner', 1)), {})
  assert.deepEqual(found(opened(0), first, { ...refused(6, 'owner', 1), key: 'a' }), {
    honestLogouts: 1,
  })
  assert.deepEqual(found(opened(0), first, refused(4, 'owner', 1)), { honestLogouts: 1 })
  // While it was delayed, the server may have refused it without a reader, and may then have
  // refused the next one for that reason.
  const slow = { ...refused(1, 'owner', 1, 0), end: 4_000 }
  assert.deepEqual(found(opened(0), first, slow, refused(9, 'owner', 2)), {})
  assert.deepEqual(found(opened(0), first, { ...slow, end: 2_900 }, refused(9, 'owner', 2)), {
    honestLogouts: 1,
  })
})

test('an access token may be refused when it expires, and not before', () => {
  assert.deepEqual(found(opened(0), access(20, 401, 20)), {})
  assert.deepEqual(found(fault(4, 6), opened(0), access(5, 401)), { honestLogouts: 1 })
})

test('an access token that is accepted for longer than the bound after a logout is found', () => {
  assert.deepEqual(found(opened(0), logout(1), access(2.1)), { revokedAccepted: 1 })
  assert.deepEqual(found(opened(0), logout(1), access(1.9)), {})
  // The logout was not acknowledged, so it may not have happened.
  assert.deepEqual(found(opened(0), logout(1, 503), access(3)), {})
})

test('an access token that is accepted for longer than the bound after theft is found', () => {
  const theft = [opened(0), refresh(1, 'owner', 1), refresh(2, 'owner', 2), refused(3, 'thief', 1)]
  assert.deepEqual(found(...theft, access(4.1)), { revokedAccepted: 1 })
  assert.deepEqual(found(...theft, access(3.9), access(4.1, 401), access(4.1, 503)), {})
})

test('a refresh token that is accepted after the end is found, however soon', () => {
  assert.deepEqual(found(opened(0), logout(1), refresh(1.1, 'probe', 1)), { revokedAccepted: 1 })
  // The request was in flight when the response to the other one arrived.
  const overtaken = { start: 1_005, end: 2_000 }
  assert.deepEqual(found(opened(0), logout(1), refresh(1, 'probe', 1, overtaken)), {})
})

test('a revocation that was never finished is found by a token that was accepted later', () => {
  const half = [opened(0), refresh(1, 'owner', 1), logout(2, 0)]
  const late = refused(12, 'probe', 2)
  assert.deepEqual(found(...half, access(8.1), late), { revokedAccepted: 1 })
  assert.deepEqual(found(...half, refresh(8.1, 'probe', 2), refused(12, 'probe', 3)), {
    revokedAccepted: 1,
  })
  assert.deepEqual(found(...half, access(7.9), late), {})
  assert.deepEqual(found(...half, access(8.1), refresh(12, 'probe', 2)), {})
  // Another logout was requested and may be what ended the session.
  assert.deepEqual(found(...half, logout(4, 0), access(8.1), late), {})
  assert.deepEqual(found(...half, logout(4, 0), access(10.1), late), { revokedAccepted: 1 })
  // While a store was unavailable, no server could finish the revocation. While one server was, the
  // others could.
  assert.deepEqual(found(fault(3, 5), ...half, access(8.1), late), {})
  assert.deepEqual(found(fault(3, 5, { oneServer: true }), ...half, access(8.1), late), {
    revokedAccepted: 1,
  })
})

test('a session that may have ended for theft, after a logout without effect, ended when the theft was found', () => {
  const half = [opened(0), logout(1, 0), refresh(2, 'probe', 1)]
  const reuse = refused(9, 'probe', 1)
  assert.deepEqual(found(...half, access(8.9), reuse), {})
  assert.deepEqual(found(...half, access(15.2), reuse), { revokedAccepted: 1 })
  // The theft was found by a request without a response. It may have reached the server, unless
  // there was no connection.
  const lost = refused(7, 'probe', 1, 0)
  assert.deepEqual(found(...half, lost, access(8.9), refused(9, 'probe', 2)), {})
  const unsent = { ...lost, unsent: true } as const
  assert.deepEqual(found(...half, unsent, access(8.9), refused(9, 'probe', 2)), {
    revokedAccepted: 1,
  })
})

test('a generation with two different successors is found, if no fault explains it', () => {
  const twice = [opened(0), refresh(1, 'owner', 1), refresh(3, 'owner', 1, { returned: 'other' })]
  assert.deepEqual(found(...twice), { forks: 1 })
  assert.deepEqual(found(lossy(2, 2.5), ...twice), {})
  assert.deepEqual(found(fault(2, 2.5), ...twice), { forks: 1 })
  assert.deepEqual(found(lossy(0, 0.5), lossy(4, 5), ...twice), { forks: 1 })
  assert.deepEqual(found(opened(0), refresh(1, 'owner', 1), refresh(3, 'owner', 1)), {})
})

/** The thief refreshes before the victim, whose token is then already spent. */
const ahead = [opened(0), refresh(10, 'thief', 1)]

test('a thief and a victim who are both served, each later than the grace period, are found', () => {
  assert.deepEqual(found(...ahead, refresh(20, 'owner', 1)), { bothServed: 1 })
  const behind = [
    opened(0),
    refresh(10, 'owner', 1),
    refresh(11, 'thief', 1),
    refresh(20, 'owner', 2),
  ]
  assert.deepEqual(found(...behind, refused(30, 'thief', 2)), {})
  assert.deepEqual(found(...behind, refresh(30, 'thief', 2)), { bothServed: 1 })
})

test('a thief may be served within the grace period, or if writes were lost', () => {
  assert.deepEqual(found(...ahead, refresh(12, 'owner', 1), refused(30, 'thief', 2)), {})
  assert.deepEqual(found(lossy(15, 16), ...ahead, refresh(20, 'owner', 1)), {})
  assert.deepEqual(found(fault(15, 16), ...ahead, refresh(20, 'owner', 1)), { bothServed: 1 })
  const heels = [2, 3, 4].flatMap((generation) => [
    refresh(10 * generation, 'owner', generation),
    refresh(10 * generation + 2, 'thief', generation),
  ])
  assert.deepEqual(found(opened(0), ...heels), {})
})

test('a retry does not count as a second refresh, however late it comes', () => {
  const lost = refused(10, 'owner', 1, 0)
  const retried = [refresh(11, 'thief', 1), refresh(30, 'owner', 1), refresh(40, 'thief', 2)]
  assert.deepEqual(found(opened(0), lost, ...retried), {})
})

test('an undocumented response is found, and so is a crashed server', () => {
  assert.deepEqual(found(opened(0), refused(1, 'owner', 1, 500)), { errors: 1 })
  assert.deepEqual(found({ kind: 'crash', server: 0, start: 1, end: 2 }), { errors: 1 })
})

test('the figures count the responses', () => {
  const { figures } = check(
    [...ahead, refused(20, 'owner', 1), refused(21, 'thief', 2, 503), fault(1, 2)],
    RULES,
  )
  const { sessions, refreshes, thefts, theftsFound, unavailable, faults } = figures
  assert.deepEqual(
    { sessions, refreshes, thefts, theftsFound, unavailable, faults },
    { sessions: 1, refreshes: 1, thefts: 1, theftsFound: 1, unavailable: 1, faults: 1 },
  )
})
