import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { openPostgres } from '../../../src/db/postgres.ts'
import { users } from '../../../src/db/schema.ts'
import type { NewMail } from '../../../src/mail/mail.ts'
import { insertMails } from '../../../src/mail/outbox.ts'
import type { Transaction } from '../../../src/users/user-records.ts'
import { cleanUp } from '../clean-up.ts'
import { newEmail } from '../credentials.ts'
import type { Env } from '../environment.ts'

/** Returns what queues mails in a transaction, like a change of a user on another node. */
export async function openOutbox(t: TestContext, env: Env) {
  const { orm, query, close } = await openPostgres(env.DATABASE_URL ?? '', 1, 'pawl')
  cleanUp(t, close)
  return {
    /** Inserts a user and returns their id. */
    async newUser(email = newEmail()): Promise<string> {
      const id = randomUUID()
      await query(orm.insert(users).values({ id, email }))
      return id
    },

    /** Runs `after` in the same transaction, after the mails were queued. */
    queue: (mails: NewMail[], after = async (_tx: Transaction) => {}): Promise<void> =>
      query(
        orm.transaction(async (tx) => {
          await insertMails(tx, ...mails)
          await after(tx)
        }),
      ),
  }
}
