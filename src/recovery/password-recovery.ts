import { type CodeRecords, consumeCode, type FoundCode } from '../codes/code-records.ts'
import type { BackgroundTasks } from '../common/background-tasks.ts'
import type { Database } from '../db/database.ts'
import { PawlError } from '../errors.ts'
import type { NewEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import { insertMails } from '../mail/outbox.ts'
import type { Device } from '../sessions/device.ts'
import type { Administrator } from '../users/administration.ts'
import type { UserChangeService } from '../users/user-change-service.ts'
import { isUserId } from '../users/user-id.ts'
import type { Transaction, UserRecords } from '../users/user-records.ts'

export interface PasswordReset {
  token: string
  newPassword: string
}

/**
 * Returns the hash of a new password. Rejects with `AUTH_PASSWORD_REJECTED` if it is not acceptable
 * for the user of this address, and with `AUTH_OVERLOADED`.
 */
export type HashNewPassword = (
  password: string,
  email: string,
  ip: string,
  /** The name of the field in the form. */
  field: 'password' | 'newPassword',
) => Promise<string>

export interface PasswordRecoveryOptions {
  database: Database
  records: Pick<UserRecords, 'findByEmail' | 'findById'>
  codes: Pick<CodeRecords, 'find'>
  hashNewPassword: HashNewPassword
  userChanges: Pick<UserChangeService, 'apply'>
  background: Pick<BackgroundTasks, 'add'>
  events: Pick<EventLog, 'announce'>
  /** Is called after a commit that has queued a mail. */
  onMail: () => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export type PasswordRecovery = ReturnType<typeof createPasswordRecovery>

/** Creates the service for users who have forgotten their password. */
export function createPasswordRecovery(options: PasswordRecoveryOptions) {
  const { database, records, codes, hashNewPassword, userChanges } = options
  const { background, events, onMail, clock } = options

  /** Uses up the code and queues the notice, both in the transaction of the change. */
  async function useUp(tx: Transaction, code: FoundCode, device: Device) {
    const owner = await consumeCode(tx, code)
    if (!owner) return undefined
    const { userId, address } = code
    await insertMails(tx, { purpose: 'password-reset', userId, address, at: clock(), device })
    return owner
  }

  return {
    /**
     * Sends a mail with a link if there is an active account with a password. It resolves before
     * anything is looked up, so neither the response nor its time tells whether there is one.
     * Rejects with `AUTH_UNAVAILABLE` and `AUTH_OVERLOADED`.
     */
    async forgot(email: string): Promise<void> {
      await database.ping()
      background.add(async () => {
        const user = await records.findByEmail(email.toLowerCase())
        // A user without a password logs in elsewhere, by rules that a reset would bypass.
        if (user?.status !== 'active' || !user.email || user.passwordHash === null) return
        const { id: userId, email: address } = user
        await database.query(
          insertMails(database.orm, { purpose: 'reset-password', userId, address }),
        )
        onMail()
      })
    },

    /**
     * Sends the mail for an administrator, and records who it was. Rejects with `NOT_FOUND` if
     * there is no such user, or if they cannot get a mail that lets them in.
     */
    async start(id: string, { via, ...actor }: Administrator): Promise<void> {
      const user = isUserId(id) ? await records.findById(id) : undefined
      if (!user) throw new PawlError('NOT_FOUND', { detail: 'There is no such user.' })
      const { id: userId, email: address, status } = user
      if (!address || status !== 'active')
        throw new PawlError('NOT_FOUND', { detail: 'The user has no address, or is disabled.' })
      const detail = { action: 'password_reset_started', via } as const
      const event = { type: 'admin_action', userId, ...actor, at: clock(), detail } as const
      await database.query(
        database.orm.transaction(async (tx) => {
          await insertEvents(tx, event)
          await insertMails(tx, { purpose: 'reset-password', userId, address })
        }),
      )
      events.announce(event)
      onMail()
    },

    /**
     * Sets a new password and ends every session. The user has read a mail, so their address counts
     * as verified. Rejects with `AUTH_CODE_INVALID` and `AUTH_PASSWORD_REJECTED`. A password that
     * is rejected does not use up the code. Returns the address, for which guesses start anew.
     */
    async reset({ token, newPassword }: PasswordReset, device: Device): Promise<string> {
      const code = await codes.find(token, ['reset-password'])
      if (!code) throw new PawlError('AUTH_CODE_INVALID')
      const { userId, address } = code
      let isSignup = false
      const change = {
        set: {
          passwordHash: await hashNewPassword(newPassword, address, device.ip, 'newPassword'),
          emailVerified: true,
          awaitsVerification: false,
        },
        revokeSessions: { reason: 'password_reset' },
        permit: async (tx: Transaction) => {
          const owner = await useUp(tx, code, device)
          isSignup = owner?.awaitsVerification ?? false
          return owner !== undefined
        },
      } as const
      const event = { userId, device, detail: {} } as const
      const describe = (): NewEvent[] => [
        ...(isSignup ? [{ ...event, type: 'signup' } as const] : []),
        { ...event, type: 'password_reset' },
      ]
      const changed = await userChanges.apply(userId, change, { device }, describe)
      if (!changed) throw new PawlError('AUTH_CODE_INVALID')
      onMail()
      return address
    },
  }
}
