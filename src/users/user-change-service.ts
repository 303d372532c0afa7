import type { NewEvent, SecurityEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Device } from '../sessions/device.ts'
import type { ChangedUser, OnChange, UserChange, UserChangeRecords } from './user-change-records.ts'
import type { Account } from './user-records.ts'
import type { SessionsToRevoke } from './user-revocation.ts'

/** Who makes a change, and from which device. Without `actorId`: the user, or the command line. */
export interface Actor {
  actorId?: string | undefined
  device?: Device | undefined
}

/** Returns the events to record about a change, given the user after and before it. */
export type DescribeEvents = (user: Account, before: Account) => NewEvent[]

export interface UserChangeServiceOptions {
  records: UserChangeRecords
  events: Pick<EventLog, 'record' | 'announce'>
  /** Puts a committed revocation in force: on a server, the revoker does. */
  publish: Revoker['publish']
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export type UserChangeService = ReturnType<typeof createUserChangeService>

/**
 * Creates the service that changes users. A change commits together with its events, and then its
 * revocation is published. If publishing fails, the method rejects with `AUTH_UNAVAILABLE`, but
 * the change stands: a sweep publishes it later, and repeating the call does no harm.
 */
export function createUserChangeService(options: UserChangeServiceOptions) {
  const { records, events, publish, clock } = options

  async function carryOut(
    commit: (onChange: OnChange) => Promise<ChangedUser | undefined>,
    revoke: SessionsToRevoke | undefined,
    actor: Actor,
    describe: DescribeEvents,
  ): Promise<Account | undefined> {
    const recorded: SecurityEvent[] = []
    const changed = await commit(async (tx, user, before) => {
      recorded.push(...describe(user, before).map((event) => ({ ...event, at: clock() })))
      if (recorded.length > 0) await insertEvents(tx, ...recorded)
    })
    if (!changed) return undefined
    const { user, sessionIds, revocation } = changed
    for (const event of recorded) events.announce(event)
    if (revoke) {
      const { reason } = revoke
      const ended = {
        type: 'session_ended',
        userId: user.id,
        ...actor,
        detail: { reason },
      } as const
      for (const sessionId of sessionIds) events.record({ ...ended, sessionId })
    }
    await publish(revocation)
    return user
  }

  return {
    /**
     * Changes a user and returns them as they are now. Returns undefined if there is no such user,
     * or if the user's `ver` is not `ifVer`. Rejects with `ADMIN_REQUIRED` if no active
     * administrator would be left.
     */
    apply(
      id: string,
      change: UserChange,
      actor: Actor,
      describe: DescribeEvents,
    ): Promise<Account | undefined> {
      const commit = (onChange: OnChange) => records.apply(id, change, onChange)
      return carryOut(commit, change.revokeSessions, actor, describe)
    },

    /** Deletes a user and their sessions. Returns and rejects like `apply`. */
    remove(id: string, actor: Actor, describe: DescribeEvents): Promise<Account | undefined> {
      const commit = (onChange: OnChange) => records.remove(id, onChange)
      return carryOut(commit, { reason: 'user_deleted' }, actor, describe)
    },
  }
}
