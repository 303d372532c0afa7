import { and, eq, isNull, ne, type SQL, sql } from 'drizzle-orm'
import { sessions, userRevocations } from '../db/schema.ts'
import type { CommittedRevocation } from '../revocation/revocation-reader.ts'
import type { SessionEndReason } from '../sessions/session.ts'
import type { Account, Transaction } from './user-records.ts'

/** Which sessions of a user a change revokes: all of them, or all but one. */
export interface SessionsToRevoke {
  reason: SessionEndReason
  except?: string | undefined
}

/**
 * Writes the revocation of a user's access tokens, and of their sessions if `revoke` is given. It
 * is part of the transaction of the change, which has raised the user's `ver`. Returns the ids of
 * the sessions that it revoked.
 */
export async function insertUserRevocation(
  tx: Transaction,
  user: Account,
  revoke: SessionsToRevoke | undefined,
): Promise<string[]> {
  const sessionIds = revoke ? await revokeSessions(tx, user.id, revoke) : []
  const row = {
    ver: user.ver,
    sessionsEnded: revoke !== undefined,
    exceptSession: revoke?.except ?? null,
    at: sql`now()`,
    publishedAt: null,
  }
  await tx
    .insert(userRevocations)
    .values({ userId: user.id, ...row })
    .onConflictDoUpdate({
      target: userRevocations.userId,
      set: { ...row, sessionsEnded: MERGED_SESSIONS_ENDED, exceptSession: MERGED_EXCEPTION },
    })
  return sessionIds
}

async function revokeSessions(
  tx: Transaction,
  userId: string,
  { reason, except }: SessionsToRevoke,
): Promise<string[]> {
  const isLive = and(
    eq(sessions.userId, userId),
    isNull(sessions.revokedAt),
    except ? ne(sessions.id, except) : undefined,
  )
  // They count as published, because the revocation of the user covers them all.
  const at = sql`now()`
  const revoked = await tx
    .update(sessions)
    .set({ revokedAt: at, revokedReason: reason, publishedAt: at })
    .where(isLive)
    .returning({ id: sessions.id })
  return revoked.map(({ id }) => id)
}

/**
 * An earlier revocation of the user that is not published yet is published with the new one. If
 * the two spare different sessions, both sessions are dead: each was revoked by the other change.
 */
const IS_PENDING: SQL = sql`
  ${userRevocations.publishedAt} is null and ${userRevocations.sessionsEnded}`
const MERGED_SESSIONS_ENDED: SQL = sql`excluded.sessions_ended or (${IS_PENDING})`
const MERGED_EXCEPTION: SQL = sql`case
  when not (${IS_PENDING}) then excluded.except_session
  when not excluded.sessions_ended then ${userRevocations.exceptSession}
  when ${userRevocations.exceptSession} = excluded.except_session then excluded.except_session
end`

/** Returns what `insertUserRevocation` has written, for the publisher. */
export function toRevocation(
  { id: userId, ver, roles, status }: Account,
  revoke: SessionsToRevoke | undefined,
  isDeleted = false,
): CommittedRevocation {
  return {
    kind: 'user',
    userId,
    authorization: { ver, roles: isDeleted ? [] : roles },
    status: isDeleted ? 'deleted' : status,
    sessionsEnded: revoke !== undefined,
    ...(revoke?.except && { except: revoke.except }),
  }
}
