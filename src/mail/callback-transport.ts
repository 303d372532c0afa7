import { once } from 'node:events'
import type { MailCallback, MailMessage } from './mail.ts'
import type { SendMail } from './mail-worker.ts'

/** Creates what gives mails to the application. A callback that rejects gets the mail again. */
export function createCallbackTransport(mail: MailCallback): { send: SendMail; close(): void } {
  async function send(message: MailMessage, signal: AbortSignal) {
    const aborted = once(signal, 'abort').then(() => Promise.reject(new Error('aborted')))
    aborted.catch(() => {})
    try {
      await Promise.race([mail(message), aborted])
      return { outcome: 'delivered' as const }
    } catch (error) {
      // Its message may quote the mail.
      const name = error instanceof Error ? error.name : typeof error
      const reason = signal.aborted ? 'no end in time' : `the callback failed: ${name}`
      return { outcome: 'failed' as const, reason }
    }
  }

  return { send, close() {} }
}
