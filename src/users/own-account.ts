import { PawlError, unavailable } from '../errors.ts'
import type { PasswordChange } from '../schemas/credentials.ts'
import type { Device } from '../sessions/device.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { checkNewPassword, normalizePassword } from './password-policy.ts'
import type { Enforcement } from './user-change-service.ts'
import type { User, UserRecords } from './user-records.ts'

/** A user in one of his sessions. */
export interface Self {
  userId: string
  sessionId: string
}

export interface OwnAccountOptions {
  records: Pick<UserRecords, 'findById'>
  hasher: PasswordHasher
  /** Code points that a new password has at least. */
  passwordMinLength: number
  enforcement: Enforcement
}

export type OwnAccount = ReturnType<typeof createOwnAccount>

/** What a user does with his own account. Rejects with `AUTH_INVALID_TOKEN` where the account is gone. */
export function createOwnAccount({
  records,
  hasher,
  passwordMinLength,
  enforcement,
}: OwnAccountOptions) {
  async function find(id: string): Promise<User> {
    const user = await records.findById(id)
    if (user?.status !== 'active') throw gone()
    return user
  }

  return {
    /** Whose password a wrong guess is counted at. */
    email: async ({ userId }: Self): Promise<string> => (await find(userId)).email,

    /**
     * Every other session ends; the tokens of this one go on. Rejects with `AUTH_PASSWORD_REJECTED`, `AUTH_WRONG_PASSWORD`, and
     * with `AUTH_UNAVAILABLE` where the account is changed at the same time.
     */
    async changePassword(
      self: Self,
      { currentPassword, newPassword }: PasswordChange,
      device: Device,
    ) {
      const user = await find(self.userId)
      const chosen = normalizePassword(newPassword)
      // First, so that a rule which is broken says nothing of the current password.
      checkNewPassword(chosen, user.email, passwordMinLength)
      if (!(await hasher.verify(user.passwordHash, normalizePassword(currentPassword))))
        throw new PawlError('AUTH_WRONG_PASSWORD')
      const change = {
        set: { passwordHash: await hasher.hash(chosen) },
        end: { reason: 'password_changed', except: self.sessionId },
        // What was proven above is still so: of two changes at once the second has a password that is none any more.
        ifVer: user.ver,
      } as const
      const events = () => [{ type: 'password_changed', ...self, device, detail: {} } as const]
      if (!(await enforcement.apply(user.id, change, { device }, events)))
        throw unavailable('the account, which is being changed,')
    },

    /** All sessions, or all but this one. */
    async endSessions(
      { userId, sessionId }: Self,
      which: 'all' | 'others',
      device: Device,
    ): Promise<void> {
      const except = which === 'others' ? sessionId : undefined
      const change = { end: { reason: 'ended_by_user', except } } as const
      if (!(await enforcement.apply(userId, change, { device }, () => []))) throw gone()
    },
  }
}

function gone(): PawlError {
  return new PawlError('AUTH_INVALID_TOKEN', { reason: 'account gone' })
}
