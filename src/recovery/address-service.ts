import { eq, sql } from 'drizzle-orm'
import { type CodeRecords, consumeCode, type FoundCode } from '../codes/code-records.ts'
import { codeOf, type Database, UNIQUE_VIOLATION } from '../db/database.ts'
import { users } from '../db/schema.ts'
import { PawlError } from '../errors.ts'
import type { NewEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import { insertMails } from '../mail/outbox.ts'
import type { Device } from '../sessions/device.ts'
import type { Auth } from '../tokens/auth.ts'
import type { UserRecords } from '../users/user-records.ts'

/** Seconds after a login during which it proves as much as the password. */
const RECENT = 300

export interface AddressServiceOptions {
  database: Database
  records: Pick<UserRecords, 'findById'>
  codes: Pick<CodeRecords, 'find'>
  events: Pick<EventLog, 'announce'>
  /** Is called after a commit that has queued a mail. */
  onMail: () => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export type AddressService = ReturnType<typeof createAddressService>

/** Creates the service that verifies the addresses of users and changes them. */
export function createAddressService(options: AddressServiceOptions) {
  const { database, records, codes, events, onMail, clock } = options
  const { orm, query } = database

  /** Returns the events of a code that was used up, or undefined if it is not valid any more. */
  async function apply(code: FoundCode, device: Device) {
    const { userId, address, purpose } = code
    const at = clock()
    return orm.transaction(async (tx) => {
      const before = await consumeCode(tx, code)
      if (!before) return undefined
      await tx
        .update(users)
        .set({
          email: address,
          emailVerified: true,
          awaitsVerification: false,
          updatedAt: sql`now()`,
        })
        .where(eq(users.id, userId))
      const isChange = purpose === 'change-address'
      const event = { userId, device, at, detail: {} }
      const recorded = [
        ...(before.awaitsVerification ? [{ ...event, type: 'signup' } as const] : []),
        ...(isChange ? [{ ...event, type: 'email_changed' } as const] : []),
        { ...event, type: 'email_verified' } as const,
      ] satisfies NewEvent[]
      await insertEvents(tx, ...recorded)
      if (isChange && before.email) {
        const notice = { userId, address: before.email, at, device, newAddress: address }
        await insertMails(tx, { purpose: 'address-changed', ...notice })
      }
      return recorded
    })
  }

  return {
    /** Sends the mail with the link again. Does nothing if the address is verified, or missing. */
    async requestVerification({ userId }: Pick<Auth, 'userId'>): Promise<void> {
      const user = await records.findById(userId)
      if (!user?.email || user.emailVerified) return
      await query(insertMails(orm, { purpose: 'verify-address', userId, address: user.email }))
      onMail()
    },

    /** Throws `AUTH_REAUTHENTICATION_REQUIRED` if the login was too long ago to change the address. */
    requireRecentLogin({ authTime }: Pick<Auth, 'authTime'>): void {
      if (clock() / 1000 - authTime > RECENT)
        throw new PawlError('AUTH_REAUTHENTICATION_REQUIRED', { maxAge: RECENT })
    },

    /**
     * Sends a link to the address that the user wants. It is in force when the link is used. No
     * mail is sent if the address belongs to another user, and the caller does not learn that.
     */
    async requestChange(userId: string, email: string): Promise<void> {
      const address = email.toLowerCase()
      await query(insertMails(orm, { purpose: 'change-address', userId, address }))
      onMail()
    },

    /**
     * Verifies the address that the code was sent to. After a request for a change, it becomes the
     * address of the user. Rejects with `AUTH_CODE_INVALID`, and with `AUTH_EMAIL_TAKEN` if another
     * user has the address by now.
     */
    async verify(token: string, device: Device): Promise<void> {
      const code = await codes.find(token, ['verify-address', 'change-address'])
      if (!code) throw new PawlError('AUTH_CODE_INVALID')
      const recorded = await query(
        apply(code, device).catch((error) => {
          if (codeOf(error) === UNIQUE_VIOLATION) throw new PawlError('AUTH_EMAIL_TAKEN')
          throw error
        }),
      )
      if (!recorded) throw new PawlError('AUTH_CODE_INVALID')
      for (const event of recorded) events.announce(event)
      onMail()
    },
  }
}
