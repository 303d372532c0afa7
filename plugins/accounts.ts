import fp from 'fastify-plugin'
import { type AccountService, createAccountService } from '../src/users/account-service.ts'
import { createOwnAccount, type OwnAccount } from '../src/users/own-account.ts'
import { createPasswordHasher, type HashSettings } from '../src/users/password-hasher.ts'
import { createUserChanges } from '../src/users/user-change-records.ts'
import { createEnforcement, type Enforcement } from '../src/users/user-change-service.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
    ownAccount: OwnAccount
    enforcement: Enforcement
  }
}

export interface AccountsOptions extends HashSettings {
  /** Code points that a new password has at least. */
  passwordMinLength: number
  signup: boolean
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with `accounts`, `ownAccount`, and `enforcement`, which carries changes of users through. */
export const accounts = fp(
  async (app, { passwordMinLength, signup, clock = Date.now, ...settings }: AccountsOptions) => {
    const { database, events, revoker } = app
    const hasher = await createPasswordHasher(settings)
    const records = createUserRecords(database)
    const enforcement = createEnforcement({
      changes: createUserChanges(database),
      events,
      publish: revoker.publish,
      clock,
    })
    app.decorate('enforcement', enforcement)
    app.decorate(
      'accounts',
      createAccountService({ records, hasher, passwordMinLength, signup, onEvent: events.record }),
    )
    app.decorate(
      'ownAccount',
      createOwnAccount({ records, hasher, passwordMinLength, enforcement }),
    )
  },
  { name: 'pawl-accounts', dependencies: ['pawl-database', 'pawl-events', 'pawl-hot-state'] },
)
