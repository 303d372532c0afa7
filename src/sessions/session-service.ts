import { parseId } from '../common/id.ts'
import type { OnCommit, RevocationRecords } from '../revocation/revocation-records.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { SessionEndReason } from './session-records.ts'
import type { SessionView, SessionViews } from './session-views.ts'

export interface SessionServiceOptions {
  views: SessionViews
  revocations: Pick<RevocationRecords, 'revokeAll'>
  revoker: Pick<Revoker, 'revokeSessions' | 'publish'>
  /** Milliseconds that a session lives without a refresh. */
  refreshIdleTtl: number
  /** Milliseconds since the epoch. */
  clock: () => number
}

export type SessionService = ReturnType<typeof createSessionService>

/** The sessions of users, seen from outside. Whatever ends one is in force when it resolves, at the latest after the bound. */
export function createSessionService({
  views,
  revocations,
  revoker,
  refreshIdleTtl,
  clock,
}: SessionServiceOptions) {
  return {
    /** The live ones, newest first. */
    list: (userId: string): Promise<SessionView[]> => views.list(userId, clock(), refreshIdleTtl),

    /** Answers whether the user has such a session; one that has ended already is ended once more. */
    async end(userId: string, id: string, reason: SessionEndReason): Promise<boolean> {
      const sessionId = parseId(id)
      if (!sessionId) return false
      if ((await views.findOwner(sessionId)) !== userId) return false
      await revoker.revokeSessions([{ userId, sessionId }], reason)
      return true
    },

    /** Every token issued so far is dead, in one step, however many there are. */
    async endEverything(onCommit?: OnCommit): Promise<void> {
      await revoker.publish({
        kind: 'everything',
        before: await revocations.revokeAll(clock(), onCommit),
      })
    },
  }
}
