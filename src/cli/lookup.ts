import { between, eq } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { sessions, users } from '../db/schema.ts'
import type { User, UserRecords } from '../users/user-records.ts'
import { idRange } from './arguments.ts'

/** Finds a user by e-mail address or id, as `parseUser` returns it. Rejects if there is none. */
export async function findUser(records: UserRecords, name: string): Promise<User> {
  const [byId, byEmail] = [
    await records.findById(name),
    await records.findByEmail(name.toLowerCase()),
  ]
  const user = byId ?? byEmail
  if (!user) throw new Error(`There is no user ${name}. To see the users: pawl user list`)
  if (byEmail && byEmail.id !== user.id)
    throw new Error(`${name} is the id of one user and the address of ${byEmail.id}. Give that id.`)
  return user
}

export interface FoundSession {
  id: string
  userId: string
  email: string | null
  revokedAt: Date | null
}

/** Finds the one session whose id starts with the prefix. Rejects if there is none, or several. */
export async function findSession({ orm, query }: Database, prefix: string): Promise<FoundSession> {
  const { id, userId, revokedAt } = sessions
  const found = await query(
    orm
      .select({ id, userId, revokedAt, email: users.email })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(between(sessions.id, ...idRange(prefix)))
      .limit(2),
  )
  return onlyOne(found, prefix, `No session has an id that starts with ${prefix}.`)
}

/** Returns the only one of at most two sessions that were found by a prefix. */
export function onlyOne<T>(found: readonly T[], prefix: string, none: string): T {
  const [session] = found
  if (session === undefined) throw new Error(none)
  if (found.length > 1)
    throw new Error(`Several sessions have an id that starts with ${prefix}. Give more of it.`)
  return session
}
