import fp from 'fastify-plugin'
import { type AccountService, createAccountService } from '../src/users/account-service.ts'
import { createPasswordHasher, type HashSettings } from '../src/users/password-hasher.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accounts: AccountService
  }
}

export interface AccountsOptions extends HashSettings {
  /** Code points that a new password has at least. */
  minLength: number
  signup: boolean
}

/** Decorates the instance with `accounts`. */
export const accounts = fp(
  async (app, { minLength, signup, ...settings }: AccountsOptions) => {
    const hasher = await createPasswordHasher(settings)
    const records = createUserRecords(app.database)
    app.decorate(
      'accounts',
      createAccountService({ records, hasher, minLength, signup, onEvent: app.events.record }),
    )
  },
  { name: 'pawl-accounts', dependencies: ['pawl-database', 'pawl-events'] },
)
