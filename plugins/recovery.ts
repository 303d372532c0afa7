import fp from 'fastify-plugin'
import { createBackgroundTasks } from '../src/common/background-tasks.ts'
import { type AddressService, createAddressService } from '../src/recovery/address-service.ts'
import { createPasswordRecovery, type PasswordRecovery } from '../src/recovery/password-recovery.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    passwordRecovery: PasswordRecovery
    emailAddresses: AddressService
  }
}

export interface RecoveryOptions {
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with the services `passwordRecovery` and `emailAddresses`. */
export const recovery = fp(
  async (app, { clock = Date.now }: RecoveryOptions) => {
    const { database, codes, events, userChanges, hashNewPassword } = app
    const records = createUserRecords(database)
    const background = createBackgroundTasks('recovery_failed', app.log)
    app.addHook('onClose', background.finish)
    app.decorate(
      'passwordRecovery',
      createPasswordRecovery({
        database,
        records,
        codes,
        hashNewPassword,
        userChanges,
        background,
        events,
        clock,
      }),
    )
    app.decorate(
      'emailAddresses',
      createAddressService({ database, records, codes, events, clock }),
    )
  },
  { name: 'pawl-recovery', dependencies: ['pawl-accounts', 'pawl-codes'] },
)
