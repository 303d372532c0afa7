import { and, eq, lt, notExists, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { ago } from '../db/interval.ts'
import { sessions, users } from '../db/schema.ts'

/** Milliseconds since the last sign-up. Its link has expired long before. */
const RETENTION = 2 * 86_400_000
/** Maximum number of accounts that one statement deletes. */
const BATCH_SIZE = 1_000

/**
 * Deletes some accounts that were made by mail and whose link was not used, and returns how many.
 * Otherwise a stranger could keep an address from being used in another way.
 */
export async function deleteUnusedSignups({ orm, query }: Database): Promise<number> {
  const { id } = users
  const sessionsOfUser = orm
    .select({ id: sessions.id })
    .from(sessions)
    .where(eq(sessions.userId, id))
  const isUnused = and(
    eq(users.awaitsVerification, true),
    lt(users.updatedAt, ago(RETENTION)),
    // The application may have started one. Its tokens would live on.
    notExists(sessionsOfUser),
  )
  const unused = orm.select({ id }).from(users).where(isUnused).limit(BATCH_SIZE)
  const old = orm.$with('old').as(unused.for('update', { skipLocked: true }))
  const deletion = orm.with(old).delete(users).where(sql`${id} in (select id from ${old})`)
  return (await query(deletion.returning({ id }))).length
}
