import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import type { SessionEndReason, SessionRef } from '../sessions/session.ts'
import type { ReuseEvent, SessionRecords } from '../sessions/session-records.ts'
import type { Authorization, SessionStore } from '../sessions/session-store.ts'
import { conflicts, type UserChangeRecords } from '../users/user-change-records.ts'
import type { RevocationFeed } from './revocation-feed.ts'
import type { CommittedRevocation } from './revocation-reader.ts'
import { type RevocationRecords, revocationOf } from './revocation-records.ts'

/** Milliseconds between two sweeps. */
const SWEEP_INTERVAL = 1_000
/** Milliseconds after its commit until an unpublished revocation is published by a sweep. */
const SWEEP_AFTER = 3_000
/** Maximum number of sessions, and of users, that one sweep publishes. */
const SWEEP_LIMIT = 1_000
/** Maximum number of revocations that are applied to the hot state at the same time. */
const CONCURRENCY = 100

/**
 * Maximum number of detected thefts held in memory while Postgres is unavailable. Beyond this
 * limit, a theft is recorded the next time one of the session's tokens is presented.
 */
const MAX_UNRECORDED = 1_000

interface Reuse {
  event: ReuseEvent
  at: number
}

export interface RevokerOptions {
  sessionRecords: Pick<SessionRecords, 'revokeEvenLost' | 'revokeForReuse'>
  revocationRecords: Pick<RevocationRecords, 'findUnpublished' | 'markPublished'>
  userRecords: Pick<UserChangeRecords, 'raiseAbove'>
  store: SessionStore
  feed: RevocationFeed
  /** Called when the hot state had a version that Postgres has not given out. */
  onConflict: (userId: string, versions: VersionConflict) => void
  log: Log
}

/** The version that the hot state had, and the one above it that the user has now. */
interface VersionConflict {
  held: number
  raisedTo: number
}

export type Revoker = ReturnType<typeof createRevoker>

/**
 * Creates the service that revokes sessions. A revocation is committed in Postgres first. Then it
 * is applied to the hot state, so that no refresh succeeds, and published on the feed, so that
 * every node refuses the access tokens. It is acknowledged after all three steps.
 *
 * If a process dies between the steps, the sweep of another one completes them. Every step can be
 * repeated.
 */
export function createRevoker(options: RevokerOptions) {
  const { sessionRecords, revocationRecords, userRecords, store, feed, log } = options
  /** Published, but not marked as published in Postgres yet: that can wait for the next sweep. */
  let unmarked: CommittedRevocation[] = []
  /** Thefts that could not be recorded in Postgres or published. */
  let unrecorded: Reuse[] = []

  /**
   * Raises the user's version above the one that the hot state has, if Postgres has not given that
   * one out, and puts the user's roles in force again. Postgres may have lost commits, or somebody
   * may have written to Redis.
   */
  async function settleVersion(userId: string, held: Authorization): Promise<void> {
    const changed = await userRecords.raiseAbove(userId, held)
    if (!changed) return
    const versions = { held: held.ver, raisedTo: changed.user.ver }
    log.warn(
      { event: 'version_conflict', userId, ...versions },
      'the hot state had a version that Postgres has not given out',
    )
    options.onConflict(userId, versions)
    await publishAll([changed.revocation])
  }

  async function apply(revocation: CommittedRevocation): Promise<void> {
    switch (revocation.kind) {
      case 'session':
        return store.close(revocation.userId, revocation.sessionId)
      case 'user': {
        const { userId, authorization } = revocation
        if (revocation.sessionsEnded) await store.closeAll(userId, revocation.except)
        const held = await store.setAuthorization(userId, authorization)
        if (held && conflicts(held, authorization)) await settleVersion(userId, held)
        return
      }
      case 'everything':
        return store.forgetAll()
    }
  }

  async function applyAll(revocations: readonly CommittedRevocation[]): Promise<void> {
    for (let start = 0; start < revocations.length; start += CONCURRENCY)
      await Promise.all(revocations.slice(start, start + CONCURRENCY).map(apply))
  }

  async function publishAll(revocations: readonly CommittedRevocation[]): Promise<void> {
    // In parallel, so that the nodes learn of it even if a part of the hot state is unavailable.
    const steps = [applyAll(revocations), feed.publish(revocations.map(revocationOf))]
    const failed = (await Promise.allSettled(steps)).find((step) => step.status === 'rejected')
    if (failed) throw failed.reason
    unmarked.push(...revocations)
  }

  async function record({ event, at }: Reuse): Promise<void> {
    await sessionRecords.revokeForReuse(event, at)
    await publishAll([{ kind: 'session', ...event }])
  }

  async function recordPending(): Promise<void> {
    for (const reuse of [...unrecorded]) {
      await record(reuse)
      unrecorded = unrecorded.filter((other) => other !== reuse)
    }
  }

  async function mark(): Promise<void> {
    const revocations = [...unmarked]
    if (revocations.length === 0) return
    await revocationRecords.markPublished(revocations)
    unmarked = unmarked.slice(revocations.length)
  }

  async function publishUnpublished(): Promise<void> {
    const unpublished = await revocationRecords.findUnpublished(SWEEP_AFTER, SWEEP_LIMIT)
    if (unpublished.length === 0) return
    log.warn(
      { event: 'revocations_swept', revocations: unpublished.length },
      'publishing revocations that another process committed',
    )
    await publishAll(unpublished)
    await mark()
  }

  async function sweep(): Promise<undefined> {
    try {
      await recordPending()
      await mark()
      await publishUnpublished()
    } catch {
      // A store is unavailable, and requests that need it report that. The next sweep tries again.
    }
  }

  const sweeper = createWorker({ interval: SWEEP_INTERVAL, work: sweep })

  return {
    /** Announces to every node that sessions are revoked, and leaves the hot state unchanged. */
    announceRevoked: (sessionIds: readonly string[]): Promise<void> =>
      feed.publish(sessionIds.map((sessionId) => ({ kind: 'session', sessionId }))),

    /**
     * Revokes sessions. Resolves when the revocation is in force everywhere, at the latest after
     * the maximum staleness. Rejects with `AUTH_UNAVAILABLE` if that is not certain.
     */
    async revokeSessions(sessions: readonly SessionRef[], reason: SessionEndReason): Promise<void> {
      await sessionRecords.revokeEvenLost(sessions, reason)
      await publishAll(sessions.map((session) => ({ kind: 'session', ...session })))
    },

    settleVersion,

    /** Puts revocations in force that are already committed in Postgres. */
    publish: (...revocations: CommittedRevocation[]): Promise<void> => publishAll(revocations),

    /**
     * Revokes a session that the hot state has condemned because a spent token was presented.
     * Postgres comes first, because the hot state and the memory of the nodes may be lost. If that
     * fails, this publishes the revocation, leaves the record to a later sweep, and rejects.
     */
    async revokeForReuse(event: ReuseEvent, at: number): Promise<void> {
      try {
        await record({ event, at })
      } catch (error) {
        if (unrecorded.length < MAX_UNRECORDED) unrecorded.push({ event, at })
        await feed.publish([{ kind: 'session', sessionId: event.sessionId }])
        throw error
      }
    },

    start: sweeper.start,

    async stop(): Promise<void> {
      await sweeper.stop()
      await mark().catch(() => {})
    },
  }
}
