import type { WatchedClock } from '../common/clocks.ts'
import { CONDEMNED, decide, expiryOf, rotatedBefore, type SessionState } from './rotation.ts'
import type { Authorization, CurrentToken, SessionStore, StoreSettings } from './session-store.ts'

interface StoredSession extends SessionState {
  /** The number of the era in which the session was opened, or re-opened. */
  era: number
}

interface UserState {
  authorization: Authorization
  sessions: Map<string, StoredSession>
}

/** Milliseconds between two searches of all users for expired sessions. */
const PURGE_INTERVAL = 60_000

/**
 * Creates a store in this process. It serves the embedded default, and it is the specification that
 * the Lua scripts are tested against.
 */
export function createMemoryStore(settings: StoreSettings, clock: WatchedClock): SessionStore {
  const users = new Map<string, UserState>()
  let purgedAt = clock.now()
  let era = 0
  /** The era that began because the clock was set back. Earlier sessions were rotated before it. */
  let renewal = { era: 0, at: 0 }
  let renewedFor = clock.timesSetBack()

  function readClock(): number {
    const now = clock.now()
    if (clock.timesSetBack() !== renewedFor) renewal = { era: ++era, at: now }
    renewedFor = clock.timesSetBack()
    return now
  }

  function remove(userId: string, sessionId: string): void {
    const user = users.get(userId)
    user?.sessions.delete(sessionId)
    if (user?.sessions.size === 0) users.delete(userId)
  }

  function removeExpired(userId: string, now: number): void {
    for (const [sessionId, state] of users.get(userId)?.sessions ?? []) {
      if (now >= expiryOf(state, settings)) remove(userId, sessionId)
    }
  }

  function purge(now: number): void {
    if (Math.abs(now - purgedAt) < PURGE_INTERVAL) return
    purgedAt = now
    for (const userId of users.keys()) removeExpired(userId, now)
  }

  /** Removes the least recently used sessions until there is room for one more. */
  function evict(userId: string, except: string): string[] {
    const usable = [...(users.get(userId)?.sessions ?? [])].filter(
      ([id, { generation }]) => generation !== CONDEMNED && id !== except,
    )
    usable.sort(([idA, a], [idB, b]) => a.rotatedAt - b.rotatedAt || (idA < idB ? -1 : 1))
    const evicted = usable
      .slice(0, Math.max(0, usable.length - settings.maxSessionsPerUser + 1))
      .map(([id]) => id)
    for (const sessionId of evicted) remove(userId, sessionId)
    return evicted
  }

  function currentTokenOf(state: SessionState): CurrentToken {
    const { generation, rotatedAt } = state
    return { generation, rotatedAt, expiresAt: expiryOf(state, settings) }
  }

  /** Returns the session in this era if the store still knows it well enough to keep it. */
  function joinEra(known: StoredSession | undefined, generation: number) {
    if (!known || known.era === era || known.generation === CONDEMNED) return known
    if (known.generation < generation) return undefined
    const session = known.era < renewal.era ? rotatedBefore(known, renewal.at) : known
    return { ...session, era }
  }

  return {
    async open({
      userId,
      sessionId,
      absoluteExpiry,
      authorization: requested,
      generation,
      retryKey,
    }) {
      const now = readClock()
      purge(now)
      removeExpired(userId, now)
      const known = users.get(userId)?.authorization
      const authorization = known && known.ver > requested.ver ? known : requested
      const existing = joinEra(users.get(userId)?.sessions.get(sessionId), generation)
      const evicted = existing ? [] : evict(userId, sessionId)
      const sessions = users.get(userId)?.sessions ?? new Map<string, StoredSession>()
      // In whole seconds, because Redis stores no more.
      const expiry = absoluteExpiry - (absoluteExpiry % 1_000)
      const fresh = { generation, rotatedAt: now, lead: 0, retryKey, absoluteExpiry: expiry, era }
      const state = existing ?? fresh
      users.set(userId, { authorization, sessions: sessions.set(sessionId, state) })
      return { currentToken: currentTokenOf(state), authorization, evicted }
    },

    async rotate(userId, sessionId, presented) {
      const now = readClock()
      const user = users.get(userId)
      const state = user?.sessions.get(sessionId)
      if (!user || !state) return { outcome: 'unknown' }
      if (state.era !== era && state.generation !== CONDEMNED) return { outcome: 'unknown' }
      const reading = { now, steadySince: clock.steadySince() }
      const decision = decide(state, presented, reading, settings)
      switch (decision.outcome) {
        case 'expired':
          remove(userId, sessionId)
          return { outcome: 'expired' }
        case 'reused':
          user.sessions.set(sessionId, { ...decision.state, era })
          return { outcome: 'reused', currentGeneration: decision.currentGeneration, now }
        default: {
          user.sessions.set(sessionId, { ...decision.state, era })
          const { authorization } = user
          return {
            outcome: decision.outcome,
            currentToken: currentTokenOf(decision.state),
            authorization,
            now,
          }
        }
      }
    },

    async close(userId, sessionId) {
      remove(userId, sessionId)
    },

    async closeAll(userId, except) {
      for (const sessionId of users.get(userId)?.sessions.keys() ?? [])
        if (sessionId !== except) remove(userId, sessionId)
    },

    async setAuthorization(userId, authorization) {
      const user = users.get(userId)
      if (user && user.authorization.ver < authorization.ver) user.authorization = authorization
      return user?.authorization
    },

    async forgetAll() {
      era++
    },

    async find(userId, sessionId) {
      const user = users.get(userId)
      const state = user?.sessions.get(sessionId)
      if (!user || !state) return undefined
      if (state.generation === CONDEMNED) return 'condemned'
      const { generation, absoluteExpiry } = state
      if (state.era !== era) return undefined
      return { ...user.authorization, generation, absoluteExpiry }
    },

    async ping() {},
  }
}
