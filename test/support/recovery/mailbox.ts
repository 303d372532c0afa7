import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createCodeRecords } from '../../../src/codes/code-records.ts'
import { openPostgres } from '../../../src/db/postgres.ts'
import type { NewMail } from '../../../src/mail/mail.ts'
import { cleanUp } from '../clean-up.ts'
import { openSql } from '../database.ts'
import { type Env, environment } from '../environment.ts'
import { build } from '../in-process-server.ts'
import { until } from '../until.ts'

/** Builds a server whose mails are read from the outbox and turned into tokens by the test. */
export async function buildWithMails(t: TestContext, overrides: Env = {}, clock = Date.now) {
  const env = await environment(t, overrides)
  const app = await build(t, env, clock)
  return { env, app, ...(await openMailbox(t, env, clock)) }
}

/** Opens the outbox of a server whose mails are turned into tokens by the test. */
export async function openMailbox(t: TestContext, env: Env, clock = Date.now) {
  const sql = openSql(t, env)
  const database = await openPostgres(env.DATABASE_URL ?? '', 1, 'pawl')
  cleanUp(t, database.close)
  const codes = createCodeRecords(database, clock)

  /** Returns the addresses of all mails of a purpose, the oldest first. */
  const addressesOf = async (purpose: NewMail['purpose']): Promise<string[]> =>
    (await sql`select address from mails where purpose = ${purpose} order by seq`).map(
      ({ address }) => address,
    )

  /** Waits for a mail, takes it from the outbox, and returns its token as the worker makes it. */
  async function tokenOf(purpose: 'verify-address' | 'change-address' | 'reset-password') {
    let taken: { user_id: string; address: string } | undefined
    await until(async () => {
      const [row] = await sql<{ user_id: string; address: string }[]>`
        delete from mails where purpose = ${purpose} returning user_id, address`
      taken = row
      return row !== undefined
    })
    assert.ok(taken)
    const { user_id: userId, address } = taken
    const issued = await codes.issue({ purpose, userId, address })
    return issued?.token ?? 'nobody may have it'
  }

  return { sql, database, codes, addressesOf, tokenOf }
}
