import type { EventType } from './event.ts'

/**
 * Groups of event types in the order in which they are dropped if more events wait for Postgres
 * than memory may hold. Anybody can cause refreshes, refusals and failed logins, so these go first.
 */
export const DROP_ORDER = [
  ['refresh'],
  ['limit_reached', 'token_rejected', 'access_denied', 'client_rejected'],
  ['login_failed', 'password_rejected'],
  ['login_succeeded', 'signup', 'session_ended'],
  [
    'reuse_found',
    'password_changed',
    'password_reset',
    'email_verified',
    'email_changed',
    'account_deleted',
    'roles_changed',
    'key_rotated',
    'key_revoked',
    'admin_action',
    'version_conflict',
    'postgres_went_back',
  ],
] as const satisfies readonly (readonly EventType[])[]

/** Event types that go to the webhook: new users, theft, changes of rights, lost commits. */
export const WEBHOOK_TYPES: readonly EventType[] = [
  'signup',
  'reuse_found',
  'password_changed',
  'password_reset',
  'email_verified',
  'email_changed',
  'account_deleted',
  'roles_changed',
  'key_rotated',
  'key_revoked',
  'admin_action',
  'version_conflict',
  'postgres_went_back',
]

type UnlistedType = Exclude<EventType, (typeof DROP_ORDER)[number][number]>

/** All event types. This does not compile if `DROP_ORDER` lacks a type. */
export const EVENT_TYPES: ([UnlistedType] extends [never] ? EventType : never)[] = DROP_ORDER.flat()
