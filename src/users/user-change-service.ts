import type { NewEvent, SecurityEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Device } from '../sessions/device.ts'
import type { SessionEndReason } from '../sessions/session-records.ts'
import type { Changed, UserChange, UserChanges } from './user-change-records.ts'

/** Who changes a user, and from where; without `actorId` the user himself, or the command line. */
export interface By {
  actorId?: string | undefined
  device?: Device | undefined
}

/** What is to be put on record of a change, given the user as he was and as he is. */
export type Describe = (user: Changed, before: Changed) => NewEvent[]

export interface EnforcementOptions {
  changes: UserChanges
  events: Pick<EventLog, 'record' | 'announce'>
  publish: Revoker['publish']
  /** Milliseconds since the epoch. */
  clock: () => number
}

export type Enforcement = ReturnType<typeof createEnforcement>

/**
 * Changes of users, carried through: committed together with their events, then told to the hot state and to every node. Where
 * the telling fails it rejects with `AUTH_UNAVAILABLE`: the change stands, the sweep tells of it, and to repeat it does no harm.
 */
export function createEnforcement({ changes, events, publish, clock }: EnforcementOptions) {
  /** The transaction's callback, and what to do after its commit. */
  function recording(describe: Describe) {
    const told: SecurityEvent[] = []
    return {
      async onChange(tx: Parameters<typeof insertEvents>[0], user: Changed, before: Changed) {
        told.push(...describe(user, before).map((event) => ({ ...event, at: clock() })))
        if (told.length > 0) await insertEvents(tx, ...told)
      },
      announce: () => told.forEach(events.announce),
    }
  }

  function recordEnds(
    userId: string,
    sessionIds: string[],
    reason: SessionEndReason,
    by: By,
  ): void {
    for (const sessionId of sessionIds)
      events.record({ type: 'session_ended', userId, sessionId, ...by, detail: { reason } })
  }

  return {
    /** Answers undefined where there is no such user. */
    async apply(
      id: string,
      change: UserChange,
      by: By,
      describe: Describe,
    ): Promise<Changed | undefined> {
      const { onChange, announce } = recording(describe)
      const done = await changes.apply(id, change, onChange)
      if (!done) return undefined
      announce()
      if (change.end) recordEnds(id, done.sessionIds, change.end.reason, by)
      await publish(done.ended)
      return done.user
    },

    async remove(id: string, by: By, describe: Describe): Promise<Changed | undefined> {
      const { onChange, announce } = recording(describe)
      const done = await changes.remove(id, onChange)
      if (!done) return undefined
      announce()
      recordEnds(id, done.sessionIds, 'user_deleted', by)
      await publish(done.ended)
      return done.user
    },
  }
}
