import { CONDEMNED, decide, expiryOf, type SessionState } from './rotation.ts'
import type { Authorization, CurrentToken, SessionStore, StoreSettings } from './session-store.ts'

interface UserState {
  authorization: Authorization
  sessions: Map<string, SessionState>
}

/** How often, in milliseconds, everything is looked through for sessions that have expired. */
const PURGE_INTERVAL = 60_000

/** The hot state in this process: for the embedded default, and the specification that the Lua scripts are held to. */
export function createMemoryStore(settings: StoreSettings, clock: () => number): SessionStore {
  const users = new Map<string, UserState>()
  let purgedAt = clock()

  function drop(userId: string, sessionId: string): void {
    const user = users.get(userId)
    user?.sessions.delete(sessionId)
    if (user?.sessions.size === 0) users.delete(userId)
  }

  function dropExpired(userId: string, now: number): void {
    for (const [sessionId, state] of users.get(userId)?.sessions ?? []) {
      if (now >= expiryOf(state, settings)) drop(userId, sessionId)
    }
  }

  function purge(now: number): void {
    if (Math.abs(now - purgedAt) < PURGE_INTERVAL) return
    purgedAt = now
    for (const userId of users.keys()) dropExpired(userId, now)
  }

  function evict(userId: string): string[] {
    const inUse = [...(users.get(userId)?.sessions ?? [])].filter(
      ([, { generation }]) => generation !== CONDEMNED,
    )
    inUse.sort(([idA, a], [idB, b]) => a.rotatedAt - b.rotatedAt || (idA < idB ? -1 : 1))
    const evicted = inUse
      .slice(0, Math.max(0, inUse.length - settings.maxSessionsPerUser + 1))
      .map(([id]) => id)
    for (const sessionId of evicted) drop(userId, sessionId)
    return evicted
  }

  function currentTokenOf(state: SessionState): CurrentToken {
    const { generation, rotatedAt } = state
    return { generation, rotatedAt, expiresAt: expiryOf(state, settings) }
  }

  return {
    async open({ userId, sessionId, absoluteExpiry, authorization: given, generation, retryKey }) {
      const now = clock()
      purge(now)
      dropExpired(userId, now)
      const known = users.get(userId)?.authorization
      const authorization = known && known.ver > given.ver ? known : given
      const existing = users.get(userId)?.sessions.get(sessionId)
      const evicted = existing ? [] : evict(userId)
      const sessions = users.get(userId)?.sessions ?? new Map<string, SessionState>()
      const state = existing ?? { generation, rotatedAt: now, retryKey, absoluteExpiry }
      users.set(userId, { authorization, sessions: sessions.set(sessionId, state) })
      return { currentToken: currentTokenOf(state), authorization, evicted }
    },

    async rotate(userId, sessionId, presented) {
      const now = clock()
      const user = users.get(userId)
      const state = user?.sessions.get(sessionId)
      if (!user || !state) return { outcome: 'unknown' }
      const decision = decide(state, presented, now, settings)
      switch (decision.outcome) {
        case 'expired':
          drop(userId, sessionId)
          return { outcome: 'expired' }
        case 'reused':
          user.sessions.set(sessionId, decision.state)
          return { outcome: 'reused', currentGeneration: decision.currentGeneration, now }
        default: {
          user.sessions.set(sessionId, decision.state)
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
      drop(userId, sessionId)
    },

    async closeAll(userId, except) {
      for (const sessionId of users.get(userId)?.sessions.keys() ?? [])
        if (sessionId !== except) drop(userId, sessionId)
    },

    async setAuthorization(userId, authorization) {
      const user = users.get(userId)
      if (user && user.authorization.ver <= authorization.ver) user.authorization = authorization
    },

    async forgetAll() {
      users.clear()
    },

    async find(userId, sessionId) {
      const user = users.get(userId)
      const state = user?.sessions.get(sessionId)
      if (!user || !state) return undefined
      const { generation } = state
      return generation === CONDEMNED ? 'condemned' : { ver: user.authorization.ver, generation }
    },

    async ping() {},
  }
}
