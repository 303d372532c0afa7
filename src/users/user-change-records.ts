import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, userRevocations, users } from '../db/schema.ts'
import { PawlError } from '../errors.ts'
import type { CommittedRevocation } from '../revocation/revocation-records.ts'
import type { SessionEndReason } from '../sessions/session-records.ts'
import { PUBLIC_COLUMNS, type Transaction, type User } from './user-records.ts'

/** The role that must never be without an active bearer, once there was one. */
export const ADMIN = 'admin'

export interface UserChange {
  set?: Partial<Pick<User, 'roles' | 'status' | 'passwordHash'>>
  /** End his sessions, for this reason, all or all but one. Otherwise they go on, with other access tokens. */
  end?: { reason: SessionEndReason; except?: string | undefined }
  /** Only where he is still at this `ver`; otherwise it is as if there were no such user. */
  ifVer?: number
}

/** Inside the transaction of a change: writes down who did what. `before` is the user as he was. */
export type OnChange = (tx: Transaction, user: Changed, before: Changed) => Promise<void>
export type Changed = Omit<User, 'passwordHash'>
export type UserChanges = ReturnType<typeof createUserChanges>

/**
 * What changes a user's rights, or ends many of his sessions. Each raises his `ver`, which kills his access tokens, and is
 * one transaction with everything that follows from it in Postgres; what it answers as `ended` is then to be told, and
 * `sessionIds` are those that it ended.
 * Answers undefined where there is no such user; rejects with `ADMIN_REQUIRED` where nobody would be left to administer.
 */
export function createUserChanges({ orm, query }: Database) {
  /** Answers the ids of the sessions that it ended. */
  async function record(
    tx: Transaction,
    { id, ver }: Changed,
    end: UserChange['end'],
  ): Promise<string[]> {
    const sessionIds: string[] = []
    if (end) {
      const { reason, except } = end
      const ended = and(
        eq(sessions.userId, id),
        isNull(sessions.revokedAt),
        except ? ne(sessions.id, except) : sql`true`,
      )
      // Told by the entry of the user, not one by one.
      const at = sql`now()`
      const update = tx
        .update(sessions)
        .set({ revokedAt: at, revokedReason: reason, publishedAt: at })
      for (const { id } of await update.where(ended).returning({ id: sessions.id }))
        sessionIds.push(id)
    }
    const row = {
      ver,
      sessionsEnded: end !== undefined,
      exceptSession: end?.except ?? null,
      at: sql`now()`,
      publishedAt: null,
    }
    // What an earlier change ended and was not told yet is told by this one. If the two spare different sessions, both are
    // dead: each was ended by the other change.
    const isPending = sql`${userRevocations.publishedAt} is null and ${userRevocations.sessionsEnded}`
    await tx
      .insert(userRevocations)
      .values({ userId: id, ...row })
      .onConflictDoUpdate({
        target: userRevocations.userId,
        set: {
          ...row,
          sessionsEnded: sql`excluded.sessions_ended or (${isPending})`,
          exceptSession: sql`case
            when not (${isPending}) then excluded.except_session
            when not excluded.sessions_ended then ${userRevocations.exceptSession}
            when ${userRevocations.exceptSession} = excluded.except_session then excluded.except_session
          end`,
        },
      })
    return sessionIds
  }

  /** Others wait here who would take the role from the last but one at the same time: rows are locked in one order. */
  async function requireAdminBeside(tx: Transaction, id: string): Promise<void> {
    const isAdmin = sql`${users.status} = 'active' and ${users.roles} @> array[${ADMIN}]`
    const admins = await tx
      .select({ id: users.id })
      .from(users)
      .where(isAdmin)
      .orderBy(users.id)
      .for('update')
    if (admins.length === 1 && admins[0]?.id === id) throw new PawlError('ADMIN_REQUIRED')
  }

  /** After `requireAdminBeside`, whose locks are taken in the order of the ids. */
  async function lock(tx: Transaction, id: string): Promise<Changed | undefined> {
    const [user] = await tx.select(PUBLIC_COLUMNS).from(users).where(eq(users.id, id)).for('update')
    return user
  }

  function toEnded(
    { id: userId, ver, roles }: Changed,
    end: UserChange['end'],
  ): CommittedRevocation {
    const { except } = end ?? {}
    return {
      kind: 'user',
      userId,
      authorization: { ver, roles },
      sessionsEnded: end !== undefined,
      ...(except && { except }),
    }
  }

  return {
    async apply(id: string, { set = {}, end, ifVer }: UserChange, onChange?: OnChange) {
      return query(
        orm.transaction(async (tx) => {
          const keepsAdmin = (set.roles?.includes(ADMIN) ?? true) && set.status !== 'disabled'
          if (!keepsAdmin) await requireAdminBeside(tx, id)
          const before = await lock(tx, id)
          if (!before || before.ver !== (ifVer ?? before.ver)) return undefined
          const change = { ...set, ver: sql`${users.ver} + 1`, updatedAt: sql`now()` }
          const [user] = await tx
            .update(users)
            .set(change)
            .where(eq(users.id, id))
            .returning(PUBLIC_COLUMNS)
          if (!user) return undefined
          const sessionIds = await record(tx, user, end)
          await onChange?.(tx, user, before)
          return { user, ended: toEnded(user, end), sessionIds }
        }),
      )
    },

    /** The account and its sessions are gone afterwards; what kills its tokens stays. */
    async remove(id: string, onChange?: OnChange) {
      return query(
        orm.transaction(async (tx) => {
          await requireAdminBeside(tx, id)
          const before = await lock(tx, id)
          const ver = sql`${users.ver} + 1`
          const [user] = await tx
            .update(users)
            .set({ ver })
            .where(eq(users.id, id))
            .returning(PUBLIC_COLUMNS)
          if (!before || !user) return undefined
          const end = { reason: 'user_deleted' } as const
          const sessionIds = await record(tx, user, end)
          await tx.delete(users).where(eq(users.id, id))
          await onChange?.(tx, user, before)
          return { user, ended: toEnded({ ...user, roles: [] }, end), sessionIds }
        }),
      )
    },
  }
}
