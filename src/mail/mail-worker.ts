import type { Log } from '../common/log.ts'
import {
  type AttemptOutcome,
  type AttemptResult,
  createOutboxWorker,
} from '../common/outbox-worker.ts'
import { isCodePurpose } from './compose.ts'
import type { IssueCode, IssuedCode, MailMessage, MailPurpose } from './mail.ts'
import type { ClaimedMail, MailQueue } from './mail-queue.ts'

/** Milliseconds within which a mail must be handed over. */
const SEND_LIMIT = 30_000
/** Mails in flight at once. */
const CONCURRENCY = 4
const BACKOFF = { first: 2_000, longest: 900_000 }

/** Hands a mail over. Never rejects. */
export type SendMail = (message: MailMessage, signal: AbortSignal) => Promise<AttemptResult>

export interface MailWorkerOptions {
  /** Whether mails of this purpose are sent at all. */
  isWanted: (purpose: MailPurpose) => boolean
  queue: MailQueue
  issue: IssueCode
  compose: (mail: ClaimedMail, issued: IssuedCode | undefined) => MailMessage
  send: SendMail
  onOutcome: (outcome: AttemptOutcome) => void
  log: Log
}

/**
 * Creates the worker that sends mails: each at least once, those of one user in order. It makes the
 * code of a mail for each attempt, so that no code is stored, and an earlier one is void.
 */
export function createMailWorker(options: MailWorkerOptions) {
  const { isWanted, queue, issue, compose, send, onOutcome, log } = options

  async function attempt(mail: ClaimedMail, signal: AbortSignal): Promise<AttemptResult> {
    if (mail.isLate) return { outcome: 'failed', reason: 'too late', isPermanent: true }
    const { purpose, userId, address } = mail
    if (!isWanted(purpose)) return { outcome: 'dropped' }
    let issued: IssuedCode | undefined
    if (isCodePurpose(purpose)) {
      issued = await issue({ purpose, userId, address })
      if (!issued) return { outcome: 'dropped' }
    }
    return send(compose(mail, issued), signal)
  }

  return createOutboxWorker({
    outbox: queue,
    send: attempt,
    sendLimit: SEND_LIMIT,
    concurrency: CONCURRENCY,
    backoff: BACKOFF,
    onOutcome,
    lines: {
      prefix: 'mail',
      // The address is not among them: it would be in every log.
      facts: ({ id, purpose, userId }) => ({ mailId: id, purpose, userId }),
      dead: 'a mail was given up',
      back: 'mails can be sent again',
      failed: 'a mail could not be sent',
      broken: 'the outbox of mails cannot be read or written',
    },
    log,
  })
}
