import { eq, sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { fromNow } from '../db/interval.ts'
import { mails, users } from '../db/schema.ts'
import type { Transaction } from '../users/user-records.ts'
import { toFacts } from './facts.ts'
import type { NewMail, NoticeMail } from './mail.ts'

const HOUR = 3_600_000

/** Milliseconds during which a mail is sent again. Nobody waits for a login code for longer. */
function sendLimitOf(purpose: NewMail['purpose']): number {
  return purpose === 'login-code' ? HOUR / 4 : 24 * HOUR
}

/**
 * Queues mails in the transaction of the change that they are about, so that neither exists without
 * the other. Call it after the statement that locks the user, if there is one: a user receives
 * their mails in the order of these calls. Call `wake` after the commit, so that they leave at
 * once.
 */
export async function insertMails(
  tx: Pick<Transaction, 'insert'>,
  ...given: NewMail[]
): Promise<void> {
  if (given.length === 0) return
  await tx.insert(mails).values(
    given.map((mail) => ({
      id: newId(),
      userId: mail.userId,
      address: mail.address,
      purpose: mail.purpose,
      facts: 'at' in mail ? toFacts(mail) : {},
      sendUntil: sql`${fromNow(sendLimitOf(mail.purpose))}`,
    })),
  )
}

/** Queues a notice for the address that the user has now, if there is one. */
export async function insertNotice(
  tx: Pick<Transaction, 'insert' | 'select'>,
  notice: Omit<NoticeMail, 'address'>,
): Promise<void> {
  const { email, status } = users
  const found = tx.select({ email, status }).from(users).where(eq(users.id, notice.userId))
  const [user] = await found
  if (user?.email && user.status === 'active')
    await insertMails(tx, { ...notice, address: user.email })
}
