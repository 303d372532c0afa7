/**
 * What this node knows to be revoked: a map that a request is checked against, without a network call. An entry stays for
 * as long as an access token that it kills may live; then it is forgotten.
 */

export type Revocation =
  | { kind: 'session'; sessionId: string }
  /** Access tokens of the user below `ver` are dead, but for those of one session. */
  | { kind: 'user'; userId: string; ver: number; except?: string }
  /** Every session opened before `before` is dead. Milliseconds since the epoch. */
  | { kind: 'everything'; before: number }
  /** What this key signed is dead. */
  | { kind: 'key'; kid: string }

/** The claims that a revocation can be about. */
export interface Revocable {
  sub: string
  sid: string
  ver: number
}

interface UserEntry {
  ver: number
  except: string | undefined
  until: number
}

export type Revocations = ReturnType<typeof createRevocations>

/**
 * `lifetime` is the longest life of an access token; it and the clock in milliseconds. `onKey` is told of keys: no entry is
 * kept, since who verifies by keys simply has one fewer.
 */
export function createRevocations(
  lifetime: number,
  clock: () => number,
  onKey: (kid: string) => void = () => {},
) {
  const origin = clock()
  // Both in the order in which they were added, which is the order in which they expire. Until when in whole seconds from
  // the origin, rounded up: small integers take no memory of their own, and there may be a million.
  const sessions = new Map<string, number>()
  const users = new Map<string, UserEntry>()
  let epoch = 0

  function forgetExpired(ms: number): void {
    const now = Math.floor((ms - origin) / 1_000)
    for (const [sessionId, until] of sessions) {
      if (until > now) break
      sessions.delete(sessionId)
    }
    for (const [userId, { until }] of users) {
      if (until > now) break
      users.delete(userId)
    }
  }

  function addUser(
    { userId, ver, except }: Extract<Revocation, { kind: 'user' }>,
    until: number,
  ): void {
    const known = users.get(userId)
    users.delete(userId)
    // Told late of an earlier change, a later one stays in force.
    users.set(userId, known && known.ver > ver ? { ...known, until } : { ver, except, until })
  }

  function isSessionRevoked(sessionId: string): boolean {
    return sessions.has(sessionId) || (epoch > 0 && openedAt(sessionId) < epoch)
  }

  return {
    /** Idempotent, in any order. */
    add(revocation: Revocation): void {
      const now = clock()
      const until = Math.ceil((now + lifetime - origin) / 1_000)
      forgetExpired(now)
      switch (revocation.kind) {
        case 'session':
          sessions.delete(revocation.sessionId)
          sessions.set(revocation.sessionId, until)
          return
        case 'user':
          addUser(revocation, until)
          return
        case 'everything':
          epoch = Math.max(epoch, revocation.before)
          return
        case 'key':
          onKey(revocation.kid)
      }
    },

    denies({ sub, sid, ver }: Revocable): boolean {
      if (isSessionRevoked(sid)) return true
      const user = users.get(sub)
      return user !== undefined && ver < user.ver && sid !== user.except
    },

    /** Whether the session itself was ended, as far as this node has heard. */
    isSessionRevoked,

    /** How many entries are kept. */
    size: (): number => sessions.size + users.size,
  }
}

/** An id of a session begins with when that was: UUIDv7, RFC 9562 5.7. */
function openedAt(sessionId: string): number {
  return Number.parseInt(sessionId.slice(0, 8) + sessionId.slice(9, 13), 16)
}
