import { normalizeIP } from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { insertMails } from '../src/mail/outbox.ts'
import type { HashNewPassword } from '../src/recovery/password-recovery.ts'
import {
  type AccountService,
  createAccountService,
  type OnSignup,
} from '../src/users/account-service.ts'
import { createOwnAccount, type OwnAccount } from '../src/users/own-account.ts'
import { createPasswordHasher, type HashSettings } from '../src/users/password-hasher.ts'
import { createPasswordPolicy, type PasswordPolicySettings } from '../src/users/password-policy.ts'
import { createUserChangeRecords } from '../src/users/user-change-records.ts'
import {
  createUserChangeService,
  type UserChangeService,
} from '../src/users/user-change-service.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
    ownAccount: OwnAccount
    hashNewPassword: HashNewPassword
    userChanges: UserChangeService
  }
}

export interface AccountsOptions extends HashSettings, PasswordPolicySettings {
  /** Whether strangers may sign up. */
  signup: boolean | 'verified'
  /** Whether a login demands that the address is verified. */
  requireVerifiedEmail: boolean
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Length of the IPv6 prefix that one client may have to itself. IPv4 addresses count as a whole. */
const NETWORK_BITS = 48

/** Decorates the instance with the services `accounts`, `ownAccount` and `userChanges`, and with
 * `hashNewPassword`. */
export const accounts = fp(
  async (app, { signup, requireVerifiedEmail, clock = Date.now, ...settings }: AccountsOptions) => {
    const { database, events, revoker } = app
    const groupOf = (ip: string) => normalizeIP(ip, NETWORK_BITS)
    const hasher = createPasswordHasher(settings, groupOf)
    const policy = createPasswordPolicy(settings)
    const records = createUserRecords(database)
    const userChanges = createUserChangeService({
      records: createUserChangeRecords(database),
      events,
      publish: revoker.publish,
      clock,
    })
    const onEvent = events.record
    const onMail = app.mails.wake
    app.decorate('userChanges', userChanges)
    app.decorate('hashNewPassword', async (password, email, ip, field) => {
      policy.check(password, email, field)
      return hasher.hash(password, ip)
    })
    const onSignup: OnSignup = (tx, account) =>
      insertMails(tx, { purpose: 'verify-address', ...account })
    app.decorate(
      'accounts',
      createAccountService({
        records,
        hasher,
        policy,
        signup,
        requireVerifiedEmail,
        onSignup,
        onMail,
        onEvent,
      }),
    )
    const own = { records, hasher, policy, userChanges, onMail, clock }
    app.decorate('ownAccount', createOwnAccount(own))
  },
  {
    name: 'pawl-accounts',
    dependencies: ['pawl-database', 'pawl-events', 'pawl-hot-state', 'pawl-mail'],
  },
)
