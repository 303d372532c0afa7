import { eq, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { users } from '../db/schema.ts'
import { PawlError } from '../errors.ts'
import type { CommittedRevocation } from '../revocation/revocation-reader.ts'
import type { Authorization } from '../sessions/session-store.ts'
import { ACCOUNT_COLUMNS, type Account, type Transaction, type User } from './user-records.ts'
import { insertUserRevocation, type SessionsToRevoke, toRevocation } from './user-revocation.ts'

/** The role that at least one active user always keeps, once somebody has it. */
const ADMIN = 'admin'

export interface UserChange {
  set?: Partial<
    Pick<User, 'roles' | 'status' | 'passwordHash' | 'emailVerified' | 'awaitsVerification'>
  >
  /** Without it the sessions go on, and their next refresh brings new access tokens. */
  revokeSessions?: SessionsToRevoke
  /** Compare-and-set: nothing happens if the user's `ver` is a different one by now. */
  ifVer?: number
  /** Runs before the change, in its transaction. Nothing happens if it resolves to false. */
  permit?: (tx: Transaction) => Promise<boolean>
}

/** A user whose change is committed, and the revocation that is yet to be published. */
export interface ChangedUser {
  user: Account
  revocation: CommittedRevocation
  /** The sessions that the change revoked. */
  sessionIds: string[]
}

/** Runs inside the transaction of a change, to record who made it. */
export type OnChange = (tx: Transaction, user: Account, before: Account) => Promise<void>

export type UserChangeRecords = ReturnType<typeof createUserChangeRecords>

/**
 * Creates the SQL of changes that affect a user's rights or many of their sessions. Each change
 * raises the user's `ver`, which revokes their access tokens, and commits everything that follows
 * from it in one transaction.
 */
export function createUserChangeRecords({ orm, query }: Database) {
  return {
    /**
     * Changes a user. Returns undefined if there is no such user, or if a condition does not hold.
     * Rejects with `ADMIN_REQUIRED` if no active administrator would be left.
     */
    apply(id: string, change: UserChange, onChange: OnChange): Promise<ChangedUser | undefined> {
      const { roles, status } = change.set ?? {}
      const keepsAdmin = (roles?.includes(ADMIN) ?? true) && status !== 'disabled'
      return query(
        orm.transaction(async (tx) => {
          if (!keepsAdmin) await requireOtherAdmin(tx, id)
          return apply(tx, id, change, onChange)
        }),
      )
    },

    /**
     * Gives a user a version above one that the hot state has, if that is not lower than the user's
     * own and means other roles. Returns undefined if it is not so, or if there is no such user.
     */
    raiseAbove(id: string, held: Authorization): Promise<ChangedUser | undefined> {
      return query(
        orm.transaction(async (tx) => {
          const user = await lock(tx, id)
          if (!user || !conflicts(held, user)) return undefined
          await tx.update(users).set({ ver: held.ver }).where(eq(users.id, id))
          return apply(tx, id, {}, async () => {})
        }),
      )
    },

    /**
     * Deletes a user and their sessions. The revocation of their tokens stays in Postgres. Returns
     * undefined if there is no such user. Rejects with `ADMIN_REQUIRED` like `apply`.
     */
    remove(id: string, onChange: OnChange): Promise<ChangedUser | undefined> {
      return query(
        orm.transaction(async (tx) => {
          await requireOtherAdmin(tx, id)
          const revokeSessions = { reason: 'user_deleted' } as const
          const changed = await apply(tx, id, { revokeSessions }, onChange)
          if (!changed) return undefined
          await tx.delete(users).where(eq(users.id, id))
          return { ...changed, revocation: toRevocation(changed.user, revokeSessions, true) }
        }),
      )
    },
  }
}

/**
 * Raises the authorization version, to at least the time in milliseconds. A version is therefore
 * never used twice, even if Postgres was restored to an earlier state: what this change grants or
 * takes away is newer than everything that the hot state or a token may still carry.
 */
const NEXT_VERSION = sql`greatest(
  ${users.ver} + 1,
  floor(extract(epoch from clock_timestamp()) * 1000)::bigint
)`

/** Returns whether the hot state has a version that Postgres has not given out for these roles. */
export function conflicts(held: Authorization, committed: Authorization): boolean {
  if (held.ver !== committed.ver) return held.ver > committed.ver
  return held.roles.join(' ') !== committed.roles.join(' ')
}

/** Returns undefined if there is no such user, or if a condition of the change does not hold. */
async function apply(
  tx: Transaction,
  id: string,
  { set = {}, revokeSessions, ifVer, permit }: UserChange,
  onChange: OnChange,
): Promise<ChangedUser | undefined> {
  const before = await lock(tx, id)
  if (!before || before.ver !== (ifVer ?? before.ver)) return undefined
  if (permit && !(await permit(tx))) return undefined
  const [user] = await tx
    .update(users)
    .set({ ...set, ver: NEXT_VERSION, updatedAt: sql`now()` })
    .where(eq(users.id, id))
    .returning(ACCOUNT_COLUMNS)
  if (!user) return undefined
  const sessionIds = await insertUserRevocation(tx, user, revokeSessions)
  await onChange(tx, user, before)
  return { user, revocation: toRevocation(user, revokeSessions), sessionIds }
}

/**
 * Locks the rows of all administrators in the order of their ids. Two changes that would each
 * remove one of the last two administrators therefore wait for each other.
 */
async function requireOtherAdmin(tx: Transaction, id: string): Promise<void> {
  const admins = await tx
    .select({ id: users.id })
    .from(users)
    .where(sql`${users.status} = 'active' and ${users.roles} @> array[${ADMIN}]`)
    .orderBy(users.id)
    .for('update')
  if (admins.length === 1 && admins[0]?.id === id) throw new PawlError('ADMIN_REQUIRED')
}

/** Call it after `requireOtherAdmin`, so that all transactions lock rows in the same order. */
async function lock(tx: Transaction, id: string): Promise<Account | undefined> {
  const [user] = await tx.select(ACCOUNT_COLUMNS).from(users).where(eq(users.id, id)).for('update')
  return user
}
