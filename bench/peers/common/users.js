import { randomUUID } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import { pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { databaseUrl } from './environment.js'
import { hashPassword, PASSWORD } from './passwords.js'

const users = pgTable('users', {
  id: uuid().primaryKey(),
  email: text().notNull().unique(),
  passwordHash: text('password_hash').notNull(),
  roles: text().array().notNull(),
})

/**
 * Opens the table of users with drizzle, and creates the table. Its statements are prepared once,
 * because building a query costs more than running it.
 */
export async function openUsers() {
  const client = postgres(databaseUrl, { onnotice: () => {} })
  await client`CREATE TABLE IF NOT EXISTS users (
    id uuid PRIMARY KEY, email text NOT NULL UNIQUE,
    password_hash text NOT NULL, roles text[] NOT NULL)`
  const db = drizzle({ client })
  const byId = db
    .select({ id: users.id, roles: users.roles })
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .limit(1)
    .prepare('user_by_id')
  const byEmail = db
    .select()
    .from(users)
    .where(eq(users.email, sql.placeholder('email')))
    .limit(1)
    .prepare('user_by_email')

  return {
    find: async (id) => (await byId.execute({ id }))[0],
    findByEmail: async (email) => (await byEmail.execute({ email }))[0],
    /** Creates users who share one password, because hashing one for each would take minutes. */
    async add(count) {
      const passwordHash = await hashPassword(PASSWORD)
      const ids = Array.from({ length: count }, () => randomUUID())
      await client`INSERT INTO users (id, email, password_hash, roles)
        SELECT id, id || '@example.com', ${passwordHash}, ARRAY['user']
        FROM unnest(${ids}::uuid[]) AS id`
      return ids
    },
  }
}
