import type { Purpose } from '../keys/key-record.ts'
import type { Device } from '../sessions/device.ts'
import type { SessionEndReason } from '../sessions/session.ts'

/** What an administrator did, through the API or the command line. */
export type AdminAction =
  | 'user_created'
  | 'user_disabled'
  | 'user_enabled'
  | 'user_deleted'
  | 'sessions_ended'
  | 'everything_revoked'

type KnownDevice = { ip: string | null; userAgent: string | null }

/** Each type of event, and what is said of it beyond who, where and when. Nothing that a client typed is in it. */
export interface EventDetails {
  /** A session has begun. */
  login_succeeded: Record<never, never>
  /** `userId` is set where there is such an account. */
  login_failed: { reason: 'unknown_account' | 'wrong_password' | 'user_disabled' }
  signup: Record<never, never>
  /** `times` where there were several before they were written; the time is that of the first, `generation` that of the last. */
  refresh: { outcome: 'rotated' | 'replayed' | 'healed'; generation: number; times?: number }
  /** The event's own device presented the spent token. `currentGeneration` is 0 where the session was condemned before. */
  reuse_found: {
    presentedGeneration: number
    currentGeneration: number
    login: KnownDevice
    /** As of the last checkpoint; null where none has seen a refresh. */
    lastRefresh: (KnownDevice & { at: string }) | null
  }
  session_ended: { reason: SessionEndReason | 'expired' }
  password_changed: Record<never, never>
  roles_changed: { from: string[]; to: string[] }
  key_rotated: { purpose: Purpose; kid: string; previousKid?: string }
  /** Retired at once: what it signed is dead. */
  key_revoked: { purpose: Purpose; kid: string }
  admin_action: { action: AdminAction; via: 'api' | 'cli' }
}

export type EventType = keyof EventDetails

interface Circumstances {
  /** Whom it is about. */
  userId?: string | undefined
  sessionId?: string | undefined
  /** Who did it, where that is not the user himself. */
  actorId?: string | undefined
  device?: Device | undefined
}

/** Something that has just happened. */
export type Occurrence = {
  [Type in EventType]: Circumstances & { type: Type; detail: EventDetails[Type] }
}[EventType]

/** The same, with its time in milliseconds since the epoch. */
export type SecurityEvent = Occurrence & { at: number }

/** How much would be missed, from 0; the least is dropped first where not all can be kept. */
const WEIGHTS = {
  refresh: 0,
  login_failed: 1,
  login_succeeded: 2,
  signup: 2,
  session_ended: 2,
  reuse_found: 3,
  password_changed: 3,
  roles_changed: 3,
  key_rotated: 3,
  key_revoked: 3,
  admin_action: 3,
} as const satisfies Record<EventType, number>

export const HEAVIEST = 3

export const weightOf = (type: EventType): number => WEIGHTS[type]

export const EVENT_TYPES = Object.keys(WEIGHTS) as EventType[]

/** What the webhook is told of: theft, and what changes who may do what. */
export const WEBHOOK_TYPES = EVENT_TYPES.filter((type) => weightOf(type) === HEAVIEST)
