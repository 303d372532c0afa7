import { PawlError } from '../errors.ts'
import { insertMails } from '../mail/outbox.ts'
import type { Device } from '../sessions/device.ts'
import type { PasswordHasher } from './password-hasher.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { UserChangeService } from './user-change-service.ts'
import type { Account, Transaction, User, UserRecords } from './user-records.ts'

/** A user, and the session in which the request is made. */
export interface SignedInUser {
  userId: string
  sessionId: string
}

export interface PasswordChange {
  currentPassword: string
  newPassword: string
}

export interface OwnAccountOptions {
  records: Pick<UserRecords, 'findById'>
  hasher: PasswordHasher
  policy: PasswordPolicy
  userChanges: Pick<UserChangeService, 'apply' | 'remove'>
  /** Is called after a commit that has queued a mail. */
  onMail: () => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export type OwnAccount = ReturnType<typeof createOwnAccount>

/**
 * Creates the service through which users manage their own account. Its methods reject with
 * `AUTH_INVALID_TOKEN` if the account was deleted or disabled.
 */
export function createOwnAccount(options: OwnAccountOptions) {
  const { records, hasher, policy, userChanges, onMail, clock } = options

  async function find(id: string): Promise<User> {
    const user = await records.findById(id)
    if (user?.status !== 'active') throw invalidToken()
    return user
  }

  return {
    /** Returns the name under which wrong guesses of the password are counted at every route. */
    async guessedName({ userId }: SignedInUser): Promise<string> {
      const { email, id } = await find(userId)
      return email ?? id
    },

    /**
     * Returns the account if the password is right, and rejects with `AUTH_WRONG_PASSWORD`
     * otherwise.
     */
    async provePassword(
      { userId }: SignedInUser,
      password: string,
      { ip }: Device,
    ): Promise<Account> {
      const { passwordHash, ...account } = await find(userId)
      if (!(await hasher.verify(passwordHash, password, { ip })))
        throw new PawlError('AUTH_WRONG_PASSWORD')
      return account
    },

    /**
     * Changes the password and revokes every session of the user, this one too, so that a copy of
     * its tokens is worthless. Returns the account, for which a new session may be started. Rejects
     * with `AUTH_PASSWORD_REJECTED`, with `AUTH_WRONG_PASSWORD`, and with `AUTH_UNAVAILABLE` if the
     * account is changed at the same time.
     */
    async changePassword(
      signedIn: SignedInUser,
      { currentPassword, newPassword }: PasswordChange,
      device: Device,
    ): Promise<Account> {
      const user = await find(signedIn.userId)
      // This comes first, so that a rejected new password reveals nothing about the current one.
      policy.check(newPassword, user.email, 'newPassword')
      if (!(await hasher.verify(user.passwordHash, currentPassword, device)))
        throw new PawlError('AUTH_WRONG_PASSWORD')
      const { userId, sessionId } = signedIn
      const { email: address } = user
      const change = {
        set: { passwordHash: await hasher.hash(newPassword, device.ip) },
        revokeSessions: { reason: 'password_changed' },
        // The current password was checked against this version. If two changes race, the second
        // one proved a password that is no longer valid.
        ifVer: user.ver,
        // A notice, so that a user whose session was stolen hears of it.
        async permit(tx: Transaction) {
          const notice = { purpose: 'password-changed', userId, at: clock(), device } as const
          if (address) await insertMails(tx, { ...notice, address })
          return true
        },
      } as const
      const event = { type: 'password_changed', userId, sessionId, device, detail: {} } as const
      const changed = await userChanges.apply(user.id, change, { device }, () => [event])
      if (!changed)
        throw new PawlError('AUTH_UNAVAILABLE', { reason: 'the account was changed meanwhile' })
      onMail()
      return changed
    },

    /**
     * Deletes the account and its sessions. Rejects with `ADMIN_REQUIRED` if no active
     * administrator would be left.
     */
    async remove({ userId, sessionId }: SignedInUser, device: Device): Promise<void> {
      const event = { type: 'account_deleted', userId, sessionId, device, detail: {} } as const
      if (!(await userChanges.remove(userId, { device }, () => [event]))) throw invalidToken()
    },

    /** Revokes all sessions of the user, or all but this one. */
    async revokeSessions(
      { userId, sessionId }: SignedInUser,
      which: 'all' | 'others',
      device: Device,
    ): Promise<void> {
      const except = which === 'others' ? sessionId : undefined
      const change = { revokeSessions: { reason: 'ended_by_user', except } } as const
      if (!(await userChanges.apply(userId, change, { device }, () => []))) throw invalidToken()
    },
  }
}

function invalidToken(): PawlError {
  return new PawlError('AUTH_INVALID_TOKEN', { reason: 'the account was deleted or disabled' })
}
