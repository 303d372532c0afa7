/** An entry of the feed of revocations. */
export type Revocation =
  | { kind: 'session'; sessionId: string }
  /** The user's access tokens below `ver`, except those of the session `except`. */
  | { kind: 'user'; userId: string; ver: number; except?: string }
  /** Every session that started before this time. Milliseconds since 1970. */
  | { kind: 'everything'; before: number }
  /** Every token that this key signed. */
  | { kind: 'key'; kid: string }

/** The claims by which a revocation applies to an access token. */
export interface RevocableClaims {
  sub: string
  sid: string
  ver: number
}

interface UserEntry {
  ver: number
  except: string | undefined
  addedAt: number
}

export type Revocations = ReturnType<typeof createRevocations>

/**
 * Creates the map of revocations that this node knows. Requests are checked against it without a
 * network call. An entry stays for as long as an access token that it revokes may live.
 *
 * `lifetime` returns the longest life of an access token, which may change while entries are held.
 * It and the clocks are in milliseconds. `latest` returns the latest time at which a token may have
 * been issued, which is later than that of `clock` after the clock was set back.
 * `onKey` receives the id of a revoked key. The map holds no entry for it, because a key that the
 * node no longer has verifies nothing.
 */
export function createRevocations(
  lifetime: () => number,
  clock: () => number,
  onKey: (kid: string) => void = () => {},
  latest: () => number = clock,
) {
  const origin = clock()
  // In the order in which entries were added, which is the order in which they expire. The time is
  // in whole seconds since `origin`, rounded up: a small integer takes no memory of its own, and
  // there may be a million entries.
  const sessions = new Map<string, number>()
  const users = new Map<string, UserEntry>()
  let everythingBefore = 0

  function removeExpired(ms: number): void {
    const oldest = Math.floor((ms - lifetime() - origin) / 1_000)
    for (const [sessionId, addedAt] of sessions) {
      if (addedAt > oldest) break
      sessions.delete(sessionId)
    }
    for (const [userId, { addedAt }] of users) {
      if (addedAt > oldest) break
      users.delete(userId)
    }
  }

  function addUser(
    { userId, ver, except }: Extract<Revocation, { kind: 'user' }>,
    addedAt: number,
  ): void {
    const known = users.get(userId)
    users.delete(userId)
    // An entry that arrives late must not replace that of a later change.
    const isOlder = known !== undefined && known.ver > ver
    users.set(userId, isOlder ? { ...known, addedAt } : { ver, except, addedAt })
  }

  function isSessionRevoked(sessionId: string): boolean {
    if (sessions.has(sessionId)) return true
    return everythingBefore > 0 && startOf(sessionId) < everythingBefore
  }

  return {
    /** Adds an entry. Entries may come in any order, and more than once. */
    add(revocation: Revocation): void {
      const now = clock()
      const addedAt = Math.ceil((Math.max(now, latest()) - origin) / 1_000)
      removeExpired(now)
      switch (revocation.kind) {
        case 'session':
          sessions.delete(revocation.sessionId)
          sessions.set(revocation.sessionId, addedAt)
          return
        case 'user':
          addUser(revocation, addedAt)
          return
        case 'everything':
          everythingBefore = Math.max(everythingBefore, revocation.before)
          return
        case 'key':
          onKey(revocation.kid)
      }
    },

    /** Returns whether an access token with these claims is revoked. */
    denies({ sub, sid, ver }: RevocableClaims): boolean {
      if (isSessionRevoked(sid)) return true
      const user = users.get(sub)
      return user !== undefined && ver < user.ver && sid !== user.except
    },

    /** Returns whether the session itself is revoked, as far as this node knows. */
    isSessionRevoked,

    /** Returns the number of entries. */
    size: (): number => sessions.size + users.size,
  }
}

/** Returns when a session started, which its id (a UUIDv7, RFC 9562 5.7) begins with. */
function startOf(sessionId: string): number {
  return Number.parseInt(sessionId.slice(0, 8) + sessionId.slice(9, 13), 16)
}
