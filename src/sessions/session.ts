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
  | 'ended_by_admin'
  | 'roles_changed'
  | 'user_disabled'
  | 'user_deleted'
  /** Postgres had lost the revocation and its reason. */
  | 'revoked_again'
