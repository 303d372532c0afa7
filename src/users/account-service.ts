import { v7 as uuid } from 'uuid'
import { PawlError } from '../errors.ts'
import type { EventDetails, NewEvent } from '../events/event.ts'
import type { Device } from '../sessions/device.ts'
import { checkNewUser, type NewUser } from './new-user.ts'
import type { PasswordHasher } from './password-hasher.ts'
import { type HashWork, workOf } from './password-hashes/hash-formats.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { Account, Transaction, User, UserRecords } from './user-records.ts'

export type OnSignup = (
  tx: Transaction,
  account: { userId: string; address: string },
) => Promise<void>

export interface AccountServiceOptions {
  records: UserRecords
  hasher: PasswordHasher
  policy: PasswordPolicy
  /** Whether strangers may sign up. With `verified`, only `SignupByMail` creates their accounts. */
  signup: boolean | 'verified'
  /** Whether a login demands that the address is verified. False by default. */
  requireVerifiedEmail?: boolean
  /** Runs in the transaction that creates the account of a stranger. */
  onSignup?: OnSignup
  /** Is called after a commit that has queued a mail. */
  onMail?: () => void
  /** Is called with sign-ups and failed logins. */
  onEvent?: (event: NewEvent) => void
}

export interface Credentials {
  email: string
  password: string
}

export type AccountService = ReturnType<typeof createAccountService>

/** Creates the service that creates accounts and checks passwords. Addresses ignore case. */
export function createAccountService(options: AccountServiceOptions) {
  const { records, hasher, policy, signup, requireVerifiedEmail = false } = options
  const { onSignup = async () => {}, onMail = () => {}, onEvent = () => {} } = options

  /**
   * Creates an account. `onCreate` runs in the same transaction. Rejects with `VALIDATION_FAILED`,
   * `AUTH_PASSWORD_REJECTED`, `AUTH_EMAIL_TAKEN` or `USER_ID_TAKEN`.
   */
  async function create(
    newUser: NewUser,
    onCreate?: (tx: Transaction, id: string) => Promise<void>,
    ip?: string,
  ): Promise<Account> {
    checkNewUser(newUser, policy)
    const { id = uuid(), email, password, passwordHash, ...extra } = newUser
    if (passwordHash !== undefined) await records.addHashWork(workOf(passwordHash))
    const hash = password === undefined ? passwordHash : await hasher.hash(password, ip)
    const user = {
      id,
      email: email?.toLowerCase() ?? null,
      passwordHash: hash ?? null,
      ...extra,
    }
    const onInsert = onCreate && ((tx: Transaction) => onCreate(tx, id))
    const inserted = await records.insertKnown(user, onInsert)
    if (inserted) return toAccount(inserted)
    throw new PawlError((await records.findById(id)) ? 'USER_ID_TAKEN' : 'AUTH_EMAIL_TAKEN')
  }

  /** Replaces a hash that was made with earlier parameters, while the password is known. */
  async function refreshHash(user: User, password: string, ip: string): Promise<void> {
    if (user.passwordHash === null || !hasher.isOutdated(user.passwordHash)) return
    try {
      const hash = await hasher.hash(password, ip)
      await records.replaceHash(user.id, user.passwordHash, hash)
    } catch {
      // Too many hashes are waiting, or Postgres is unavailable. That is no reason to refuse this
      // login, and the next login tries again.
    }
  }

  /** Returns the active account of an address if the password is right. */
  async function findByPassword(
    { email, password }: Credentials,
    device: Device,
  ): Promise<Account | undefined> {
    const user = await records.findByEmail(email.toLowerCase())
    if (!user) return undefined
    const matches = await hasher.verify(user.passwordHash, password, device)
    const obstacle = obstacleOf(user)
    if (matches && !obstacle) return toAccount(user)
    const reason = (matches && obstacle) || 'wrong_password'
    onEvent({ type: 'login_failed', userId: user.id, device, detail: { reason } })
    return undefined
  }

  /** A hash that came into the table by other ways counts from its first login on. */
  function noteWork(user: User | undefined, known: HashWork): void {
    const work = { ...hasher.work, ...workOf(user?.passwordHash) }
    const isNew = Object.entries(work).some(([family, cost]) => (known[family] ?? 0) < cost)
    // Nobody has to wait for it, and a failure is repaired by the next login.
    if (isNew) records.addHashWork(work).catch(() => {})
  }

  return {
    create,

    /**
     * Creates an account for a stranger. If the address has an account with this very password, it
     * returns that account: the response to the first sign-up was lost, or the session could not be
     * started after it. Rejects with `AUTH_SIGNUP_DISABLED` too.
     */
    async signup(credentials: Credentials, device: Device): Promise<Account> {
      if (signup !== true) throw new PawlError('AUTH_SIGNUP_DISABLED')
      try {
        const address = credentials.email.toLowerCase()
        const onCreate = (tx: Transaction, userId: string) => onSignup(tx, { userId, address })
        const account = await create(credentials, onCreate, device.ip)
        onMail()
        onEvent({ type: 'signup', userId: account.id, device, detail: {} })
        return account
      } catch (error) {
        const isTaken = error instanceof PawlError && error.code === 'AUTH_EMAIL_TAKEN'
        const account = isTaken ? await findByPassword(credentials, device) : undefined
        if (!account) throw error
        return account
      }
    },

    /**
     * Checks a password. An unknown address, a wrong password, a disabled user and a sign-up that
     * is not verified all take the same work and reject with the same `AUTH_INVALID_CREDENTIALS`.
     * Rejects with `AUTH_EMAIL_UNVERIFIED` only after the right password.
     */
    async authenticate({ email, password }: Credentials, device: Device): Promise<Account> {
      const { user, work } = await records.findForLogin(email.toLowerCase())
      const obstacle = user ? obstacleOf(user) : 'unknown_account'
      const { ip } = device
      const verification = { ip, work, isRefused: obstacle !== undefined }
      const matches = await hasher.verify(user?.passwordHash, password, verification)
      noteWork(user, work)
      if (!user || !matches || obstacle) {
        const reason = user && !matches ? 'wrong_password' : (obstacle ?? 'wrong_password')
        onEvent({ type: 'login_failed', userId: user?.id, device, detail: { reason } })
        throw new PawlError('AUTH_INVALID_CREDENTIALS', { reason: REASONS[reason] })
      }
      if (requireVerifiedEmail && !user.emailVerified) {
        const detail = { reason: 'email_not_verified' } as const
        onEvent({ type: 'login_failed', userId: user.id, device, detail })
        throw new PawlError('AUTH_EMAIL_UNVERIFIED')
      }
      await refreshHash(user, password, device.ip)
      return toAccount(user)
    },

    /** Returns undefined if there is no such account. */
    async find(id: string): Promise<Account | undefined> {
      const user = await records.findById(id)
      return user && toAccount(user)
    },
  }
}

type Reason = EventDetails['login_failed']['reason']

/** Returns why a user cannot log in, whatever the password. */
function obstacleOf({ status, awaitsVerification }: User): Reason | undefined {
  if (status !== 'active') return 'user_disabled'
  return awaitsVerification ? 'signup_not_verified' : undefined
}

/** The reasons as the log words them. */
const REASONS: Record<Reason, string> = {
  unknown_account: 'unknown e-mail',
  wrong_password: 'wrong password',
  user_disabled: 'user disabled',
  signup_not_verified: 'the link of the sign-up was not used',
  email_not_verified: 'the address is not verified',
}

function toAccount({ passwordHash: _, awaitsVerification: __, ...account }: User): Account {
  return account
}
