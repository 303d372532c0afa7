import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { codes, users } from '../db/schema.ts'
import type { Transaction, User } from '../users/user-records.ts'
import {
  CODE_LIFE,
  type CodePurpose,
  type CodeRequest,
  createToken,
  hashToken,
  stateOf,
} from './code.ts'

/** Maximum number of rows that one statement deletes. */
const BATCH_SIZE = 1_000

export interface IssuedToken {
  token: string
  /** Milliseconds since 1970. */
  expiresAt: number
}

/** A code that was found. It is not used up yet. */
export interface FoundCode {
  hash: string
  userId: string
  purpose: CodePurpose
  /** The address that the code was sent to. */
  address: string
}

export type CodeRecords = ReturnType<typeof createCodeRecords>

/** Creates the SQL of the `codes` table. `clock` returns milliseconds since 1970. */
export function createCodeRecords({ orm, query }: Database, clock: () => number) {
  return {
    /**
     * Makes a code and voids the former one of this purpose. Returns undefined if nobody may have
     * it: the user is deleted or disabled, the address is not theirs any more, or the address that
     * they want belongs to another user.
     */
    issue({ purpose, userId, address }: CodeRequest): Promise<IssuedToken | undefined> {
      return query(
        orm.transaction(async (tx) => {
          const user = await lockUser(tx, userId)
          if (!user || !(await mayReceive(tx, user, purpose, address))) return undefined
          const token = createToken()
          const expiresAt = clock() + CODE_LIFE[purpose]
          const code = {
            hash: hashToken(token),
            address,
            state: stateOf(user),
            expiresAt: new Date(expiresAt),
          }
          await tx
            .insert(codes)
            .values({ userId, purpose, ...code })
            .onConflictDoUpdate({ target: [codes.userId, codes.purpose], set: code })
          return { token, expiresAt }
        }),
      )
    },

    /** Finds a code that has not expired, without using it up. */
    async find(token: string, purposes: readonly CodePurpose[]): Promise<FoundCode | undefined> {
      const { hash, userId, purpose, address, expiresAt } = codes
      const [found] = await query(
        orm
          .select({ hash, userId, purpose, address, expiresAt })
          .from(codes)
          .where(and(eq(hash, hashToken(token)), inArray(purpose, [...purposes])))
          .limit(1),
      )
      if (!found || found.expiresAt.getTime() <= clock()) return undefined
      return found
    },

    /** Deletes some codes that have expired, and returns how many. */
    async deleteExpired(): Promise<number> {
      const old = orm.$with('old').as(
        orm
          .select({ hash: codes.hash })
          .from(codes)
          .where(lt(codes.expiresAt, new Date(clock())))
          .limit(BATCH_SIZE)
          .for('update', { skipLocked: true }),
      )
      const deletion = orm
        .with(old)
        .delete(codes)
        .where(sql`${codes.hash} in (select hash from ${old})`)
      return (await query(deletion.returning({ hash: codes.hash }))).length
    },
  }
}

/**
 * Uses up a code in the transaction of its effect, before that changes the user. Returns the user
 * as they are before, or undefined if the code was used meanwhile, or if the user has another
 * password or address than when it was made.
 */
export async function consumeCode(
  tx: Transaction,
  { hash, userId }: FoundCode,
): Promise<Owner | undefined> {
  // The user is locked before the code everywhere, so that no two transactions wait for each other.
  const user = await lockUser(tx, userId)
  const [used] = await tx
    .delete(codes)
    .where(eq(codes.hash, hash))
    .returning({ state: codes.state })
  return user?.status === 'active' && used?.state === stateOf(user) ? user : undefined
}

type Owner = Pick<User, 'id' | 'email' | 'passwordHash' | 'status' | 'awaitsVerification'>

async function lockUser(tx: Transaction, userId: string): Promise<Owner | undefined> {
  const { id, email, passwordHash, status, awaitsVerification } = users
  const [user] = await tx
    .select({ id, email, passwordHash, status, awaitsVerification })
    .from(users)
    .where(eq(users.id, userId))
    .for('update')
  return user
}

async function mayReceive(
  tx: Transaction,
  user: Owner,
  purpose: CodePurpose,
  address: string,
): Promise<boolean> {
  if (user.status !== 'active') return false
  if (purpose !== 'change-address') return user.email === address
  const owner = eq(sql`lower(${users.email})`, address)
  return (await tx.select({ id: users.id }).from(users).where(owner).limit(1)).length === 0
}
