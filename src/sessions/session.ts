/** A session and the user that it belongs to. */
export interface SessionRef {
  sessionId: string
  userId: string
}

/** Why a session was revoked. Stored in `sessions.revoked_reason` and in events. */
export type SessionEndReason =
  | 'logout'
  | 'reuse'
  | 'session_cap'
  | 'undelivered'
  | 'ended_by_user'
  | 'password_changed'
  | 'password_reset'
  | 'reauthenticated'
  | 'ended_by_admin'
  | 'ended_by_application'
  | 'roles_changed'
  | 'user_disabled'
  | 'user_deleted'
  /** Postgres had lost the revocation and its reason. */
  | 'revoked_again'

/**
 * Returns when a session started, in milliseconds since 1970. Its id, a UUIDv7 (RFC 9562 5.7),
 * begins with that.
 */
export function startOf(sessionId: string): number {
  return Number.parseInt(sessionId.slice(0, 8) + sessionId.slice(9, 13), 16)
}
