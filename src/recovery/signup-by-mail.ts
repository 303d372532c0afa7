import { eq, sql } from 'drizzle-orm'
import { v7 as uuid } from 'uuid'
import type { BackgroundTasks } from '../common/background-tasks.ts'
import type { Database } from '../db/database.ts'
import { users } from '../db/schema.ts'
import { insertMails } from '../mail/outbox.ts'
import type { Device } from '../sessions/device.ts'
import type { Credentials } from '../users/account-service.ts'
import type { Transaction } from '../users/user-records.ts'
import type { HashNewPassword } from './password-recovery.ts'

export interface SignupByMailOptions {
  database: Database
  hashNewPassword: HashNewPassword
  background: Pick<BackgroundTasks, 'add'>
  /** Is called after a commit that has queued a mail. */
  onMail: () => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export interface SignupRequest extends Credentials {
  /** Whether the address may get another mail. */
  mayMail: boolean
}

interface HashedSignup {
  address: string
  passwordHash: string
  mayMail: boolean
}

export type SignupByMail = ReturnType<typeof createSignupByMail>

/** Creates the sign-up that tells only who reads the mail whether there is an account. */
export function createSignupByMail(options: SignupByMailOptions) {
  const { database, hashNewPassword, background, onMail, clock } = options
  const { orm, query } = database

  /**
   * Creates the account, or gives a pending one the new password. Otherwise an attacker could sign
   * up first, and get in when the owner uses the link of their own sign-up. This is why it happens
   * even if no mail may be sent.
   */
  async function settle({ address, passwordHash, mayMail }: HashedSignup, device: Device) {
    await orm.transaction(async (tx) => {
      const pending = { passwordHash, awaitsVerification: true }
      await tx
        .insert(users)
        .values({ id: uuid(), email: address, ...pending })
        .onConflictDoNothing()
      const user = await lockByEmail(tx, address)
      if (user?.status !== 'active') return
      const { id: userId, awaitsVerification } = user
      if (awaitsVerification) {
        const change = { passwordHash, updatedAt: sql`now()` }
        await tx.update(users).set(change).where(eq(users.id, userId))
      }
      if (!mayMail) return
      if (awaitsVerification) await insertMails(tx, { purpose: 'verify-address', userId, address })
      else
        await insertMails(tx, { purpose: 'sign-up-exists', userId, address, at: clock(), device })
    })
    onMail()
  }

  return {
    /**
     * Signs up. It does the same work for every address and resolves before it looks for an
     * account, so neither the response nor its time tells whether there is one. Rejects with
     * `AUTH_PASSWORD_REJECTED`, `AUTH_UNAVAILABLE` and `AUTH_OVERLOADED`.
     */
    async signup({ email, password, mayMail }: SignupRequest, device: Device): Promise<void> {
      await database.ping()
      const address = email.toLowerCase()
      const passwordHash = await hashNewPassword(password, address, device.ip, 'password')
      background.add(() => query(settle({ address, passwordHash, mayMail }, device)))
    },
  }
}

async function lockByEmail(tx: Transaction, address: string) {
  const { id, status, awaitsVerification } = users
  const [user] = await tx
    .select({ id, status, awaitsVerification })
    .from(users)
    .where(eq(sql`lower(${users.email})`, address))
    .for('update')
  return user
}
