import { and, asc, eq, gt, gte, lt, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { users } from '../db/schema.ts'

export type User = Pick<
  typeof users.$inferSelect,
  'id' | 'email' | 'passwordHash' | 'roles' | 'status' | 'ver' | 'createdAt'
>
export type NewUser = Pick<User, 'id' | 'email' | 'passwordHash'> &
  Partial<Pick<User, 'roles' | 'status'>>

/** What may be shown of a user, to those who may see it. */
export const PUBLIC_COLUMNS = {
  id: users.id,
  email: users.email,
  roles: users.roles,
  status: users.status,
  ver: users.ver,
  createdAt: users.createdAt,
}

/** The transaction of a change. */
export type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0]
export type OnInsert = (tx: Transaction) => Promise<void>

export type UserRecords = ReturnType<typeof createUserRecords>

/** The `users` table. E-mail addresses are given and kept in lower case. */
export function createUserRecords({ orm, query }: Database) {
  const columns = { ...PUBLIC_COLUMNS, passwordHash: users.passwordHash }
  const byEmail = orm
    .select(columns)
    .from(users)
    .where(sql`lower(${users.email}) = ${sql.placeholder('email')}`)
    .prepare('user_by_email')
  const byId = orm
    .select(columns)
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('user_by_id')

  return {
    async findByEmail(email: string): Promise<User | undefined> {
      return (await query(byEmail.execute({ email })))[0]
    },

    async findById(id: string): Promise<User | undefined> {
      return (await query(byId.execute({ id })))[0]
    },

    /** Answers undefined where the address is taken. `onInsert` is in the same transaction: it writes down who did it. */
    async insert(user: NewUser, onInsert?: OnInsert): Promise<User | undefined> {
      const insertWith = async (executor: Pick<Transaction, 'insert'>) =>
        (await executor.insert(users).values(user).onConflictDoNothing().returning(columns))[0]
      if (!onInsert) return query(insertWith(orm))
      return query(
        orm.transaction(async (tx) => {
          const made = await insertWith(tx)
          if (made) await onInsert(tx)
          return made
        }),
      )
    },

    /**
     * Users by the beginning of their address, in its order, from behind `after` on. Bounds rather than LIKE: with them any
     * plan finds its place in the index, and no character is special.
     */
    async page(prefix: string, after: string, most: number): Promise<User[]> {
      const email = sql`lower(${users.email}) collate "C"`
      const isNext = and(gte(email, prefix), lt(email, `${prefix}\u{10FFFF}`), gt(email, after))
      return query(orm.select(columns).from(users).where(isNext).orderBy(asc(email)).limit(most))
    },

    /** Insert many at once, for seeding; answers the addresses that were new. */
    async insertSeeds(batch: NewUser[]): Promise<string[]> {
      const seeds = batch.map((user) => ({ ...user, seeded: true }))
      const made = orm
        .insert(users)
        .values(seeds)
        .onConflictDoNothing()
        .returning({ email: users.email })
      return (await query(made)).map((row) => row.email)
    },

    /** Replaces the hash unless the password was changed in the meantime. */
    async replaceHash(id: string, old: string, passwordHash: string): Promise<void> {
      const unchanged = and(eq(users.id, id), eq(users.passwordHash, old))
      await query(orm.update(users).set({ passwordHash }).where(unchanged))
    },

    /** Whether anybody is registered who was not made by the seeding command. */
    async hasRealUsers(): Promise<boolean> {
      const found = orm.select({ id: users.id }).from(users).where(eq(users.seeded, false)).limit(1)
      return (await query(found)).length > 0
    },
  }
}
