import fp from 'fastify-plugin'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'
import { createCallbackTransport } from '../src/mail/callback-transport.ts'
import { createComposer } from '../src/mail/compose.ts'
import {
  type IssueCode,
  isOptionalNotice,
  type MailCallback,
  type OptionalNotice,
} from '../src/mail/mail.ts'
import { createMailQueue } from '../src/mail/mail-queue.ts'
import { createMailWorker, type SendMail } from '../src/mail/mail-worker.ts'
import type { SenderAddress } from '../src/mail/sender-address.ts'
import { parseSmtpUrl } from '../src/mail/smtp-url.ts'
import { loadTemplates } from '../src/mail/templates.ts'

declare module 'fastify' {
  interface FastifyInstance {
    mails: {
      /** Whether this process sends mails. If not, another node may. */
      isOn: boolean
      /** Sends the mails that were queued. Call it after the commit. Returns at once. */
      wake(): void
    }
  }
}

export interface MailOptions {
  /** Takes the mails instead of SMTP. */
  mail?: MailCallback | undefined
  /** Makes the codes that mails carry. */
  issue: IssueCode
  smtpUrl: string | undefined
  mailFrom: SenderAddress | undefined
  mailLink: string
  mailTemplates: string | undefined
  mailNotices: readonly OptionalNotice[]
  issuer: string
}

/** Decorates the instance with `mails`, and sends what is in the outbox. */
export const mails = fp(
  async (app, options: MailOptions) => {
    const { issue, mailFrom, mailLink, mailTemplates, mailNotices, issuer } = options
    const { database, metrics, log } = app
    const queue = createMailQueue(database)
    const cleanup = createCleanupWorker([queue.deleteOld], log)
    const transport = await openTransport(options)
    const worker =
      transport &&
      createMailWorker({
        isWanted: (purpose) => !isOptionalNotice(purpose) || mailNotices.includes(purpose),
        queue,
        issue,
        compose: createComposer({
          templates: loadTemplates(mailTemplates),
          service: mailFrom?.name || new URL(issuer).hostname,
          mailLink,
          clock: Date.now,
        }),
        send: transport.send,
        onOutcome: metrics.counter(
          'pawl_mail_attempts_total',
          'Attempts to send a mail by outcome: delivered, dropped, failed, dead',
          'outcome',
        ),
        log,
      })
    cleanup.start()
    worker?.start()
    app.addHook('onClose', async () => {
      await Promise.all([cleanup.stop(), worker?.stop()])
      transport?.close()
    })
    app.decorate('mails', {
      isOn: worker !== undefined,
      wake: () => worker?.wake(),
    })
  },
  { name: 'pawl-mail', dependencies: ['pawl-database', 'pawl-metrics'] },
)

/** Returns undefined if this process has no way to send mails. */
async function openTransport({
  mail,
  smtpUrl,
  mailFrom,
}: MailOptions): Promise<{ send: SendMail; close(): void } | undefined> {
  if (mail) return createCallbackTransport(mail)
  const target = smtpUrl === undefined ? undefined : parseSmtpUrl(smtpUrl)
  if (!target || !mailFrom) return undefined
  // Without SMTP_URL the library is not loaded.
  const { createSmtpTransport } = await import('../src/mail/smtp-transport.ts')
  return createSmtpTransport(target, mailFrom)
}
