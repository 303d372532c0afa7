import { and, eq, isNull, ne, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, userRevocations, users } from '../db/schema.ts'
import { PawlError } from '../errors.ts'
import type { Ended } from '../tokens/revocation-records.ts'
import type { EndReason } from '../tokens/session-records.ts'
import type { User } from './user-records.ts'

/** The role that must never be without an active bearer, once there was one. */
export const ADMIN = 'admin'

export interface UserChange {
  set?: Partial<Pick<User, 'roles' | 'status' | 'passwordHash'>>
  /** End his sessions, for this reason, all or all but one. Otherwise they go on, with other access tokens. */
  end?: { reason: EndReason; except?: string | undefined }
}

/** Inside the transaction of a change: writes down who did what. */
export type OnChange = (tx: Transaction, user: Changed) => Promise<void>
export type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0]
export type Changed = Pick<User, 'id' | 'email' | 'roles' | 'status' | 'ver'>
export type UserChanges = ReturnType<typeof createUserChanges>

/**
 * What changes a user's rights, or ends many of his sessions. Each raises his `ver`, which kills his access tokens, and is
 * one transaction with everything that follows from it in Postgres; what it answers as `ended` is then to be told.
 * Answers undefined where there is no such user; rejects with `ADMIN_REQUIRED` where nobody would be left to administer.
 */
export function createUserChanges({ orm, run }: Database) {
  const columns = {
    id: users.id,
    email: users.email,
    roles: users.roles,
    status: users.status,
    ver: users.ver,
  }

  async function record(tx: Transaction, { id, ver }: Changed, end: UserChange['end']): Promise<void> {
    if (end) {
      const { reason, except } = end
      const ended = and(
        eq(sessions.userId, id),
        isNull(sessions.revokedAt),
        except ? ne(sessions.id, except) : sql`true`,
      )
      // Told by the entry of the user, not one by one.
      const at = sql`now()`
      await tx.update(sessions).set({ revokedAt: at, revokedReason: reason, publishedAt: at }).where(ended)
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

  function toEnded({ id: userId, ver, roles }: Changed, end: UserChange['end']): Ended {
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
    async apply(id: string, { set = {}, end }: UserChange, onChange?: OnChange) {
      return run(
        orm.transaction(async (tx) => {
          const keepsAdmin = (set.roles?.includes(ADMIN) ?? true) && set.status !== 'disabled'
          if (!keepsAdmin) await requireAdminBeside(tx, id)
          const change = { ...set, ver: sql`${users.ver} + 1`, updatedAt: sql`now()` }
          const [user] = await tx.update(users).set(change).where(eq(users.id, id)).returning(columns)
          if (!user) return undefined
          await record(tx, user, end)
          await onChange?.(tx, user)
          return { user, ended: toEnded(user, end) }
        }),
      )
    },

    /** The account and its sessions are gone afterwards; what kills its tokens stays. */
    async remove(id: string, onChange?: OnChange) {
      return run(
        orm.transaction(async (tx) => {
          await requireAdminBeside(tx, id)
          const ver = sql`${users.ver} + 1`
          const [user] = await tx.update(users).set({ ver }).where(eq(users.id, id)).returning(columns)
          if (!user) return undefined
          const end = { reason: 'user_deleted' } as const
          await record(tx, user, end)
          await tx.delete(users).where(eq(users.id, id))
          await onChange?.(tx, user)
          return { user, ended: toEnded({ ...user, roles: [] }, end) }
        }),
      )
    },
  }
}
