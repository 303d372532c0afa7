import { startOf } from '../sessions/session.ts'
import { createExpiringMap } from './expiring-map.ts'

/** An entry of the feed of revocations. */
export type Revocation =
  /** `isCommitted` says that Postgres has the revocation, unless it loses its last commits. */
  | { kind: 'session'; sessionId: string; isCommitted?: true }
  /**
   * The user's access tokens below `ver`, except those of the session `except`. The rest says what
   * was committed with it, for the case that Postgres loses it.
   */
  | ({ kind: 'user'; userId: string; ver: number; except?: string } & Partial<CommittedUser>)
  /** Every session that started before this time. Milliseconds since 1970. */
  | { kind: 'everything'; before: number }
  /** Every token that this key signed. */
  | { kind: 'key'; kid: string }

/** The state of a user after the change that raised their version. */
export interface CommittedUser {
  roles: readonly string[]
  status: 'active' | 'disabled' | 'deleted'
  /** Whether the user's sessions were revoked as well, except for `except`. */
  sessionsEnded: boolean
}

/** The claims by which a revocation applies to an access token. */
export interface RevocableClaims {
  sub: string
  sid: string
  ver: number
}

/** What is known about an entry besides its revocation. */
export interface EntryOrigin {
  /** Milliseconds since the revocation was published or committed; 0 by default. */
  age?: number
  /** Whether the feed has the entry, so that it need not be published again. */
  isPublished?: boolean
}

/** A revocation that the feed lacks. */
export interface UnpublishedRevocation {
  revocation: Revocation
  /** Milliseconds since the revocation was published or committed. */
  age: number
}

interface Entry<R extends Revocation = Revocation> {
  revocation: R
  /** Seconds since the map was created. */
  addedAt: number
  isPublished: boolean
}

type UserEntry = Entry<Extract<Revocation, { kind: 'user' }>>

/** Number of entries that one step of a pass over the map visits, to share the event loop. */
const STEP = 5_000

export type Revocations = ReturnType<typeof createRevocations>

/**
 * Creates the map of revocations that this node knows. Requests are checked against it without a
 * network call. An entry stays for as long as an access token that it revokes may live.
 *
 * `lifetime` returns the longest life of an access token, which may change while entries are held.
 * It and the clock are in milliseconds. The clock need not show the time: its differences count.
 * `lag` returns how much longer tokens may live, because the clock that they expire by was set back
 * after they were issued.
 * `onKey` receives the id of a revoked key. The map holds no entry for it, because a key that the
 * node no longer has verifies nothing.
 */
export function createRevocations(
  lifetime: () => number,
  clock: () => number,
  onKey: (kid: string) => void = () => {},
  lag: () => number = () => 0,
) {
  const origin = clock()
  // A session's entry is one small integer, which takes no memory of its own: the second in which
  // it was added, and whether it is published. There may be a million of them.
  const sessions = createExpiringMap<number>((packed) => packed >> 1)
  const users = createExpiringMap<UserEntry>(({ addedAt }) => addedAt)
  /** By kind, or by id of the key. There are few, and they never expire. */
  const others = new Map<string, Entry>()
  let everythingBefore = 0

  /** Returns the time from which a revocation counts, in seconds since `origin`, rounded up. */
  function timeOfAge(age: number): number {
    return Math.ceil((clock() - origin + (lag() || -age)) / 1_000)
  }

  const ageOf = (addedAt: number) => Math.max(0, clock() - origin - addedAt * 1_000)

  function addSession(sessionId: string, addedAt: number, isPublished: boolean): void {
    const packed = sessions.get(sessionId)
    const latest = packed === undefined ? addedAt : Math.max(packed >> 1, addedAt)
    const flag = isPublished ? 1 : (packed ?? 0) & 1
    sessions.set(sessionId, latest * 2 + flag)
  }

  function addUser({ revocation, addedAt, isPublished }: UserEntry): void {
    const { userId, ver } = revocation
    const known = users.get(userId)
    const latest = Math.max(known?.addedAt ?? addedAt, addedAt)
    // An entry that arrives late must not replace that of a later change.
    if (known && known.revocation.ver > ver) {
      users.set(userId, { ...known, addedAt: latest })
      return
    }
    const isKnown = known?.revocation.ver === ver && known.isPublished
    users.set(userId, { revocation, addedAt: latest, isPublished: isPublished || isKnown })
  }

  function addOther(key: string, entry: Entry): void {
    const isPublished = entry.isPublished || (others.get(key)?.isPublished ?? false)
    others.set(key, { ...entry, isPublished })
  }

  function isSessionRevoked(sessionId: string): boolean {
    if (sessions.has(sessionId)) return true
    return everythingBefore > 0 && startOf(sessionId) < everythingBefore
  }

  function* allEntries(): Generator<Entry> {
    yield* others.values()
    for (const [, entry] of users.entries()) yield entry
    for (const [sessionId, packed] of sessions.entries()) {
      const isPublished = (packed & 1) === 1
      yield { revocation: { kind: 'session', sessionId }, addedAt: packed >> 1, isPublished }
    }
  }

  return {
    /** Adds an entry. Entries may come in any order, and more than once. */
    add(revocation: Revocation, { age = 0, isPublished = false }: EntryOrigin = {}): void {
      const addedAt = timeOfAge(age)
      const oldest = Math.floor((clock() - lifetime() - origin) / 1_000)
      sessions.removeUntil(oldest)
      users.removeUntil(oldest)
      switch (revocation.kind) {
        case 'session':
          addSession(revocation.sessionId, addedAt, isPublished)
          return
        case 'user':
          addUser({ revocation, addedAt, isPublished })
          return
        case 'everything':
          if (revocation.before < everythingBefore) return
          if (revocation.before > everythingBefore) others.delete('everything')
          everythingBefore = revocation.before
          addOther('everything', { revocation, addedAt, isPublished })
          return
        case 'key':
          onKey(revocation.kid)
          addOther(revocation.kid, { revocation, addedAt, isPublished })
      }
    },

    /** Notes in steps that the feed has none of the entries, as far as this node knows. */
    *forgetPublished(): Generator<void> {
      let visited = 0
      for (const entry of others.values()) entry.isPublished = false
      for (const [, entry] of users.entries()) {
        entry.isPublished = false
        if (++visited % STEP === 0) yield
      }
      for (const [sessionId, packed] of sessions.entries()) {
        sessions.set(sessionId, packed & ~1)
        if (++visited % STEP === 0) yield
      }
    },

    /** Returns in steps the entries that the feed lacks. Every batch may be empty. */
    *unpublished(): Generator<UnpublishedRevocation[]> {
      let batch: UnpublishedRevocation[] = []
      let visited = 0
      for (const { revocation, addedAt, isPublished } of allEntries()) {
        const age = ageOf(addedAt)
        if (!isPublished && age < lifetime()) batch.push({ revocation, age })
        if (++visited % STEP > 0) continue
        yield batch
        batch = []
      }
      yield batch
    },

    /** Returns whether an access token with these claims is revoked. */
    denies({ sub, sid, ver }: RevocableClaims): boolean {
      if (isSessionRevoked(sid)) return true
      const user = users.get(sub)?.revocation
      return user !== undefined && ver < user.ver && sid !== user.except
    },

    /** Returns whether a user has a later version than `ver`, as far as this node knows. */
    isVersionRevoked: (userId: string, ver: number): boolean =>
      ver < (users.get(userId)?.revocation.ver ?? 0),

    /** Returns whether the session itself is revoked, as far as this node knows. */
    isSessionRevoked,

    /** Returns the number of entries. */
    size: (): number => sessions.size() + users.size(),
  }
}
