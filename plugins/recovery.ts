import fp from 'fastify-plugin'
import { createBackgroundTasks } from '../src/common/background-tasks.ts'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'
import { type AddressService, createAddressService } from '../src/recovery/address-service.ts'
import { createNewDeviceNotice, type NoticeNewDevice } from '../src/recovery/new-device-notice.ts'
import { createPasswordRecovery, type PasswordRecovery } from '../src/recovery/password-recovery.ts'
import { createSignupByMail, type SignupByMail } from '../src/recovery/signup-by-mail.ts'
import { deleteUnusedSignups } from '../src/recovery/unused-signups.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    passwordRecovery: PasswordRecovery
    emailAddresses: AddressService
    noticeNewDevice: NoticeNewDevice
    /** Undefined unless sign-ups are `verified`. */
    signupByMail: SignupByMail | undefined
  }
}

export interface RecoveryOptions {
  /** Whether strangers may sign up. */
  signup: boolean | 'verified'
  /** For tests. */
  clock?: (() => number) | undefined
}

/**
 * Decorates the instance with `passwordRecovery`, `emailAddresses`, `signupByMail` and
 * `noticeNewDevice`.
 */
export const recovery = fp(
  async (app, { signup, clock = Date.now }: RecoveryOptions) => {
    const { database, codes, events, userChanges, hashNewPassword } = app
    const onMail = app.mails.wake
    const records = createUserRecords(database)
    const background = createBackgroundTasks('recovery_failed', app.log)
    app.addHook('onClose', background.finish)
    app.decorate('noticeNewDevice', createNewDeviceNotice({ database, background, onMail, clock }))
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
        onMail,
        clock,
      }),
    )
    app.decorate(
      'emailAddresses',
      createAddressService({ database, records, codes, events, onMail, clock }),
    )
    const byMail = createSignupByMail({ database, hashNewPassword, background, onMail, clock })
    // It runs whatever the setting, because that may have been another one before.
    const cleanup = createCleanupWorker([() => deleteUnusedSignups(database)], app.log)
    cleanup.start()
    app.addHook('onClose', cleanup.stop)
    app.decorate('signupByMail', signup === 'verified' ? byMail : undefined)
  },
  { name: 'pawl-recovery', dependencies: ['pawl-accounts', 'pawl-codes', 'pawl-mail'] },
)
