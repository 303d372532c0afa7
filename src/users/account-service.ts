import { v7 as uuid } from 'uuid'
import { PawlError } from '../errors.ts'
import type { EventDetails, NewEvent } from '../events/event.ts'
import type { Device } from '../sessions/device.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { checkNewPassword, normalizePassword } from './password-policy.ts'
import type { NewUser, Transaction, User, UserRecords } from './user-records.ts'

export interface AccountServiceOptions {
  records: UserRecords
  hasher: PasswordHasher
  passwordMinLength: number
  signup: boolean
  /** Hears of sign-ups and of failed logins. */
  onEvent?: (event: NewEvent) => void
}

export interface Credentials {
  email: string
  password: string
}

export type Account = Omit<User, 'passwordHash'>
export type AccountService = ReturnType<typeof createAccountService>

/** Who the users are. E-mail addresses are the same whatever their case. */
export function createAccountService(options: AccountServiceOptions) {
  const { records, hasher, passwordMinLength, signup, onEvent = () => {} } = options

  /** Rejects with `AUTH_PASSWORD_REJECTED` or `AUTH_EMAIL_TAKEN`. `onCreate` is in the transaction that makes the account. */
  async function create(
    { email, password }: Credentials,
    extra: Pick<NewUser, 'roles' | 'status'> = {},
    onCreate?: (tx: Transaction, id: string) => Promise<void>,
  ): Promise<Account> {
    const address = email.toLowerCase()
    const normalized = normalizePassword(password)
    checkNewPassword(normalized, address, passwordMinLength)
    const passwordHash = await hasher.hash(normalized)
    const id = uuid()
    const onInsert = onCreate && ((tx: Transaction) => onCreate(tx, id))
    const user = await records.insert({ id, email: address, passwordHash, ...extra }, onInsert)
    if (!user) throw new PawlError('AUTH_EMAIL_TAKEN')
    return withoutHash(user)
  }

  /** A password that was hashed with other parameters than today's is hashed anew while we know it. */
  async function refreshHash(user: User, normalized: string): Promise<void> {
    if (!hasher.isOutdated(user.passwordHash)) return
    try {
      await records.replaceHash(user.id, user.passwordHash, await hasher.hash(normalized))
    } catch {
      // Too many hashes waiting, or no database: no reason to refuse this login, and the next one tries again.
    }
  }

  return {
    create,

    /** The same for a stranger: rejects with `AUTH_SIGNUP_DISABLED` where that is not wanted. */
    async signup(credentials: Credentials, device: Device): Promise<Account> {
      if (!signup) throw new PawlError('AUTH_SIGNUP_DISABLED')
      const account = await create(credentials)
      onEvent({ type: 'signup', userId: account.id, device, detail: {} })
      return account
    },

    /**
     * Rejects with one and the same `AUTH_INVALID_CREDENTIALS`, after the same work, for an unknown address, a wrong
     * password and a disabled user.
     */
    async authenticate({ email, password }: Credentials, device: Device): Promise<Account> {
      const normalized = normalizePassword(password)
      const user = await records.findByEmail(email.toLowerCase())
      const matches = await hasher.verify(user?.passwordHash, normalized)
      if (!user || !matches || user.status !== 'active') {
        const reason = !user ? 'unknown_account' : matches ? 'user_disabled' : 'wrong_password'
        onEvent({ type: 'login_failed', userId: user?.id, device, detail: { reason } })
        throw new PawlError('AUTH_INVALID_CREDENTIALS', { reason: REASONS[reason] })
      }
      await refreshHash(user, normalized)
      return withoutHash(user)
    },

    /** Undefined where the account is gone. */
    async find(id: string): Promise<Account | undefined> {
      const user = await records.findById(id)
      return user && withoutHash(user)
    },
  }
}

/** For the log. */
const REASONS: Record<EventDetails['login_failed']['reason'], string> = {
  unknown_account: 'unknown e-mail',
  wrong_password: 'wrong password',
  user_disabled: 'user disabled',
}

function withoutHash({ passwordHash: _, ...account }: User): Account {
  return account
}
