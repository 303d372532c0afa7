import { and, eq, gte, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import { codeOf, type Database, UNIQUE_VIOLATION } from '../db/database.ts'
import { passwordWork, userRevocations, users } from '../db/schema.ts'
import type { HashWork } from './password-hashes/hash-formats.ts'

export type User = Pick<
  typeof users.$inferSelect,
  | 'id'
  | 'email'
  | 'emailVerified'
  | 'awaitsVerification'
  | 'passwordHash'
  | 'roles'
  | 'status'
  | 'ver'
  | 'createdAt'
>
/** A user without what only a login has to know. */
export type Account = Omit<User, 'passwordHash' | 'awaitsVerification'>
export type UserToInsert = Pick<User, 'id' | 'email'> &
  Partial<Pick<User, 'passwordHash' | 'roles' | 'status' | 'emailVerified'>>

/** A place in the order of users: by address, which is empty if there is none, then by id. */
export interface UserPosition {
  email: string
  id: string
}

/** The columns of an `Account`. */
export const ACCOUNT_COLUMNS = {
  id: users.id,
  email: users.email,
  emailVerified: users.emailVerified,
  roles: users.roles,
  status: users.status,
  ver: users.ver,
  createdAt: users.createdAt,
}

/** The transaction of a change. */
export type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0]
/** Runs inside the transaction that inserts a user. */
export type OnInsert = (tx: Transaction) => Promise<void>

export type UserRecords = ReturnType<typeof createUserRecords>

/** Creates the SQL of the `users` table. E-mail addresses are passed and stored in lower case. */
export function createUserRecords({ orm, query }: Database) {
  const { passwordHash, awaitsVerification } = users
  const columns = { ...ACCOUNT_COLUMNS, passwordHash, awaitsVerification }
  const byEmail = orm
    .select(columns)
    .from(users)
    .where(sql`lower(${users.email}) = ${sql.placeholder('email')}`)
    .prepare('user_by_email')
  // One statement, so that a login asks once, whether there is such a user or not.
  const forLogin = orm
    .select({ user: columns, work: sql<string>`one.work` })
    .from(sql`(
      select coalesce(json_object_agg(${sql.raw('family')}, ${sql.raw('cost')}), '{}')::text as work
      from ${passwordWork}
    ) as one`)
    .leftJoin(users, sql`lower(${users.email}) = ${sql.placeholder('email')}`)
    .prepare('user_for_login')
  const byId = orm
    .select(columns)
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('user_by_id')

  async function insert(
    user: UserToInsert & { ver?: SQL },
    onInsert?: OnInsert,
  ): Promise<User | undefined> {
    const insertWith = async (executor: Pick<Transaction, 'insert'>) =>
      (await executor.insert(users).values(user).onConflictDoNothing().returning(columns))[0]
    if (!onInsert) return query(insertWith(orm))
    return query(
      orm.transaction(async (tx) => {
        const inserted = await insertWith(tx)
        if (inserted) await onInsert(tx)
        return inserted
      }),
    )
  }

  return {
    async findByEmail(email: string): Promise<User | undefined> {
      return (await query(byEmail.execute({ email })))[0]
    },

    /** Returns the user of an address, if any, and the work of the stored hashes. */
    async findForLogin(email: string): Promise<{ user: User | undefined; work: HashWork }> {
      const [row] = await query(forLogin.execute({ email }))
      return { user: row?.user ?? undefined, work: JSON.parse(row?.work ?? '{}') }
    },

    /** Adds to the work of the stored hashes, before there are any that cost as much. */
    async addHashWork(work: HashWork): Promise<void> {
      const rows = Object.entries(work).map(([family, cost]) => ({ family, cost }))
      if (rows.length === 0) return
      const cost = sql`greatest(${passwordWork.cost}, excluded.cost)`
      const insertion = orm.insert(passwordWork).values(rows)
      await query(insertion.onConflictDoUpdate({ target: passwordWork.family, set: { cost } }))
    },

    async findById(id: string): Promise<User | undefined> {
      return (await query(byId.execute({ id })))[0]
    },

    /** Inserts a user with a new id. Returns undefined if the address is taken. */
    insert: (user: UserToInsert, onInsert?: OnInsert): Promise<User | undefined> =>
      insert(user, onInsert),

    /**
     * Inserts a user whose id the application has chosen, and may have used before for a user that
     * was deleted. Returns undefined if the id or the address is taken.
     */
    insertKnown: (user: UserToInsert, onInsert?: OnInsert): Promise<User | undefined> =>
      insert({ ...user, ver: versionAfterDeletion(user.id) }, onInsert),

    /** Returns false if another user has the address. */
    async setEmail(id: string, email: string | null): Promise<boolean> {
      const statement = orm
        .update(users)
        .set({ email, emailVerified: false, updatedAt: sql`now()` })
        .where(eq(users.id, id))
      return query(
        statement.then(
          () => true,
          (error) => {
            if (codeOf(error) === UNIQUE_VIOLATION) return false
            throw error
          },
        ),
      )
    },

    /**
     * Returns users whose address starts with `prefix`, in their order, beginning after a position.
     * The condition is a range and not LIKE, so that every query plan can use the index and no
     * character of the prefix has a special meaning.
     */
    async findByPrefix(prefix: string, after: UserPosition, count: number): Promise<User[]> {
      const email = sql`coalesce(lower(${users.email}), '') collate "C"`
      const id = sql`${users.id} collate "C"`
      const range = and(
        gte(email, prefix),
        lt(email, `${prefix}\u{10FFFF}`),
        sql`(${email}, ${id}) > (${after.email}, ${after.id})`,
      )
      return query(orm.select(columns).from(users).where(range).orderBy(email, id).limit(count))
    },

    /** Returns the users who have one of the ids or of the addresses. */
    async findAny(ids: string[], emails: string[]): Promise<Pick<User, 'id' | 'email'>[]> {
      const { id, email } = users
      const isAny = or(inArray(id, ids), inArray(sql`lower(${email})`, emails))
      return query(orm.select({ id, email }).from(users).where(isAny))
    },

    /**
     * Inserts many users for the seeding command, with ids that are new or that the application has
     * chosen. Returns those whose id and address were not taken.
     */
    async insertSeeds(batch: UserToInsert[]): Promise<Pick<User, 'id' | 'email'>[]> {
      const seeds = batch.map((user) => ({
        ...user,
        seeded: true,
        ver: versionAfterDeletion(user.id),
      }))
      const { id, email } = users
      const insertion = orm.insert(users).values(seeds).onConflictDoNothing()
      return query(insertion.returning({ id, email }))
    },

    /** Replaces the hash, unless the password was changed since `old` was read. */
    async replaceHash(id: string, old: string, passwordHash: string): Promise<void> {
      const isUnchanged = and(eq(users.id, id), eq(users.passwordHash, old))
      await query(orm.update(users).set({ passwordHash }).where(isUnchanged))
    },

    /** Returns whether there are users that the seeding command did not create. */
    async hasRealUsers(): Promise<boolean> {
      const found = orm.select({ id: users.id }).from(users).where(eq(users.seeded, false)).limit(1)
      return (await query(found)).length > 0
    },
  }
}

/**
 * Returns a version above every one that an earlier user of this id had, so that neither their
 * access tokens nor their revocation concern the new user.
 */
function versionAfterDeletion(id: string): SQL {
  const { ver, userId } = userRevocations
  return sql`greatest(
    floor(extract(epoch from clock_timestamp()) * 1000)::bigint,
    (select ${ver} + 1 from ${userRevocations} where ${userId} = ${id})
  )`
}
