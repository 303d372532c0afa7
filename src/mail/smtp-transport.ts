import { createTransport } from 'nodemailer'
import type { AttemptResult } from '../common/outbox-worker.ts'
import type { MailMessage } from './mail.ts'
import type { SenderAddress } from './sender-address.ts'
import type { SmtpTarget } from './smtp-url.ts'

/** Milliseconds. The whole attempt has its own limit. */
const CONNECT_LIMIT = 10_000
const SILENCE_LIMIT = 20_000
const CONNECTIONS = 4

/** Creates what hands mails over to a mail server, by a few connections that stay open. */
export function createSmtpTransport(target: SmtpTarget, from: SenderAddress) {
  const { host, port, isSecure, needsStartTls, auth } = target
  const transport = createTransport({
    pool: true,
    host,
    port,
    secure: isSecure,
    requireTLS: needsStartTls,
    ...(auth && { auth }),
    maxConnections: CONNECTIONS,
    // The outbox retries. A retry here would not appear in its count of attempts.
    maxRequeues: 0,
    connectionTimeout: CONNECT_LIMIT,
    greetingTimeout: CONNECT_LIMIT,
    dnsTimeout: CONNECT_LIMIT,
    socketTimeout: SILENCE_LIMIT,
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  return {
    /** Hands one mail over. Its id becomes the Message-ID, the same for each attempt. */
    async send(message: MailMessage, signal: AbortSignal): Promise<AttemptResult> {
      const { id, to, subject, text, html } = message
      try {
        await transport.sendMail({
          // A copy, because the library changes it, and settings are frozen.
          from: { ...from },
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${from.address.split('@')[1]}>`,
          // Automatic replies to it would reach nobody (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        })
        return { outcome: 'delivered' }
      } catch (error) {
        return failureOf(error)
      }
    },

    close: () => transport.close({ force: true }),
  }
}

/** Returns the reply code of the server, or the error code. Never the text, which may quote. */
function failureOf(error: unknown): AttemptResult {
  const { code, responseCode, command, name } = Object(error) as {
    code?: string
    responseCode?: number
    command?: string
    name?: string
  }
  const reason = responseCode ? `reply ${responseCode}` : String(code ?? name ?? 'unknown')
  // A refused sender or password is a matter of the settings, and every mail would be lost by it.
  const isAboutTheMail = command === 'RCPT TO' || code === 'EMESSAGE'
  const isPermanent = isAboutTheMail && responseCode !== undefined && responseCode >= 500
  return { outcome: 'failed', reason, isPermanent }
}
