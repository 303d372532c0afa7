import { v7 as uuid } from 'uuid'
import { unavailable } from '../errors.ts'
import type { Revoker } from '../revocation/revoker.ts'
import { conflicts } from '../users/user-change-records.ts'
import type { Device } from './device.ts'
import type { SessionCap } from './session-cap.ts'
import type { SessionRecords } from './session-records.ts'
import type { Authorization, CurrentToken, SessionStore } from './session-store.ts'

/** A user who has just been authenticated, as they were read from Postgres at that moment. */
export type AuthenticatedUser = Authorization & { id: string }

/** The identity of a session that is about to start. */
export interface NewSession {
  sessionId: string
  /** Milliseconds since 1970. */
  createdAt: number
}

/** Returns a new identity. The id of a session begins with its time. */
export function createIdentity(createdAt: number): NewSession {
  return { sessionId: uuid({ msecs: createdAt }), createdAt }
}

export interface StartedSession {
  sessionId: string
  authorization: Authorization
  currentToken: CurrentToken
}

export interface SessionStarterOptions {
  store: Pick<SessionStore, 'open' | 'close'>
  records: Pick<SessionRecords, 'insert' | 'revoke'>
  cap: SessionCap
  settleVersion: Revoker['settleVersion']
  /** The longest life of a session, in milliseconds. */
  sessionMaxTtl: number
}

export type SessionStarter = ReturnType<typeof createSessionStarter>

/** Creates what starts sessions in both stores. */
export function createSessionStarter({
  store,
  records,
  cap,
  settleVersion,
  sessionMaxTtl,
}: SessionStarterOptions) {
  /**
   * Starts a session in the hot state first and then in Postgres, which decides whether the user is
   * still as they were when they were authenticated. Afterwards both stores have the session or
   * neither has: a session that is there by half must not be found later.
   *
   * Returns undefined if the user was changed in the meantime.
   */
  async function start(
    user: AuthenticatedUser,
    device: Device,
    { sessionId, createdAt }: NewSession,
  ): Promise<StartedSession | undefined> {
    const { id: userId, ver, roles } = user
    const expiresAt = createdAt + sessionMaxTtl
    try {
      const { currentToken, authorization, evicted } = await store.open({
        userId,
        sessionId,
        absoluteExpiry: expiresAt,
        authorization: { ver, roles },
        generation: 1,
        retryKey: null,
      })
      if (await records.insert({ id: sessionId, userId, createdAt, expiresAt }, ver, device)) {
        // The insert has proved that the user is at `ver`.
        if (conflicts(authorization, user)) {
          await settleVersion(userId, authorization)
          throw unavailable('the hot state')
        }
        await cap.enforce({ userId, sessionId }, evicted)
        return { sessionId, authorization, currentToken }
      }
      await store.close(userId, sessionId)
      return undefined
    } catch (error) {
      await Promise.allSettled([
        records.revoke([sessionId], 'undelivered'),
        store.close(userId, sessionId),
      ])
      throw error
    }
  }

  return { start }
}
