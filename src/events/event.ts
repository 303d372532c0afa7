import type { ErrorCode } from '../errors.ts'
import type { Device } from '../sessions/device.ts'
import type { SessionEndReason } from '../sessions/session.ts'

/** What an administrator did, through the API or the command line. */
export type AdminAction =
  | 'user_created'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_deleted'
  | 'password_reset_started'
  | 'sessions_ended'
  | 'everything_revoked'

type StoredDevice = { ip: string | null; userAgent: string | null }

/**
 * Why a request was refused, and at which route. `times` is set if several refusals were merged.
 * `route` is absent if they differ too much.
 */
type Refusal = {
  code: ErrorCode
  route?: string
  times?: number
}

/** Refusals are merged before they are recorded: see `createRefusalAggregator`. */
export type RefusalType =
  | 'password_rejected'
  | 'access_denied'
  | 'token_rejected'
  | 'client_rejected'
  | 'limit_reached'

/**
 * The event types, and the details of each beyond the user, the time and the device. Details never
 * contain text that a client typed: it could be a password.
 */
export interface EventDetails {
  /** A session has started. */
  login_succeeded: Record<never, never>
  /** `userId` is set if the account exists. */
  login_failed: {
    reason:
      | 'unknown_account'
      | 'wrong_password'
      | 'user_disabled'
      | 'signup_not_verified'
      | 'email_not_verified'
  }
  /** A wrong current password of a user who is signed in. */
  password_rejected: Refusal
  /** A 403: a role or a permission is missing, or the page is of another origin. */
  access_denied: Refusal
  /** A token that no key of Pawl verifies. */
  token_rejected: Refusal
  /** Wrong credentials of a client. */
  client_rejected: Refusal
  /** A 429. */
  limit_reached: Refusal
  signup: Record<never, never>
  /**
   * `times` is set if several refreshes were merged before they were written. The event then has
   * the time of the first one and the `generation` of the last one.
   */
  refresh: { outcome: 'rotated' | 'replayed' | 'healed'; generation: number; times?: number }
  /**
   * The event's own device presented the spent token. `currentGeneration` is 0 if the session had
   * already been condemned by an earlier presentation, whose event could not be stored.
   */
  reuse_found: {
    presentedGeneration: number
    currentGeneration: number
    login: StoredDevice
    /** As of the last checkpoint. Null if no checkpoint has seen a refresh. */
    lastRefresh: (StoredDevice & { at: string }) | null
  }
  session_ended: { reason: SessionEndReason | 'expired' }
  password_changed: Record<never, never>
  /** The user chose a new password with a code that was sent by mail. */
  password_reset: Record<never, never>
  /** The user has proved that they read the mail of their address. */
  email_verified: Record<never, never>
  /** Another address is in force, which the user has proved to read. */
  email_changed: Record<never, never>
  /** The user has deleted their own account. */
  account_deleted: Record<never, never>
  roles_changed: { from: string[]; to: string[] }
  key_rotated: { purpose: 'access' | 'refresh'; kid: string; previousKid?: string }
  /** The key was retired at once: tokens that it signed are refused. */
  key_revoked: { purpose: 'access' | 'refresh'; kid: string }
  admin_action: { action: AdminAction; via: 'api' | 'cli' | 'application' }
  /** Redis had a version of the user that Postgres had not given out. It is replaced. */
  version_conflict: { held: number; raisedTo: number }
  /** Postgres lost its last commits. These revocations among them were committed again. */
  postgres_went_back: Record<'sessions' | 'users' | 'everything' | 'keys', number>
}

export type EventType = keyof EventDetails

interface Circumstances {
  /** The user that the event is about. */
  userId?: string | undefined
  sessionId?: string | undefined
  /** The user who acted, if that is not the user that the event is about. */
  actorId?: string | undefined
  device?: Device | undefined
}

/** An event that has just happened and has no time yet. */
export type NewEvent = {
  [Type in EventType]: Circumstances & { type: Type; detail: EventDetails[Type] }
}[EventType]

/** A new event with its time, in milliseconds since 1970. */
export type SecurityEvent = NewEvent & { at: number }

/** An event as it is stored, listed and sent to the webhook. Values that are unknown are absent. */
export interface RecordedEvent {
  id: string
  /** RFC 3339, in UTC. */
  at: string
  /** Any text: a node of a newer version may have recorded a type that this one does not know. */
  type: string
  userId?: string
  sessionId?: string
  actorId?: string
  ip?: string
  userAgent?: string
  detail: Record<string, unknown>
}
