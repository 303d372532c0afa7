import type { Sql } from 'postgres'

/** The tables of Pawl, in an order that satisfies the foreign keys. */
const TABLES = [
  'users',
  'sessions',
  'user_revocations',
  'epochs',
  'security_events',
  'webhook_deliveries',
  'signing_keys',
  'store_state',
  'codes',
  'mails',
  'password_work',
]

/**
 * Copies the contents of all tables. Returns what puts them back, as the restore of a dump does or
 * a fail-over to a replica that was behind.
 */
export async function copyDatabase(sql: Sql): Promise<() => Promise<void>> {
  await sql.begin('isolation level repeatable read', async (tx) => {
    await tx`drop schema if exists copy cascade`
    await tx`create schema copy`
    for (const table of TABLES) await tx`create table ${tx(`copy.${table}`)} as table ${tx(table)}`
  })
  return async () => {
    await sql.begin(async (tx) => {
      await tx`truncate ${tx(TABLES)}`
      for (const table of TABLES)
        await tx`
          insert into ${tx(table)} overriding system value table ${tx(`copy.${table}`)}`
    })
  }
}
