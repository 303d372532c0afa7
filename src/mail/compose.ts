import { CODE_PURPOSES, type CodePurpose, type IssuedCode, type MailMessage } from './mail.ts'
import type { ClaimedMail } from './mail-queue.ts'
import type { Templates } from './templates.ts'

export interface ComposeOptions {
  templates: Templates
  /** What the mails call the service. */
  service: string
  /** The page that links open. */
  mailLink: string
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/** Creates what turns a queued mail, and the code that was made for it, into the text to send. */
export function createComposer({ templates, service, mailLink, clock }: ComposeOptions) {
  return (mail: ClaimedMail, issued: IssuedCode | undefined): MailMessage => {
    const { id, purpose, address, facts } = mail
    const link = issued && 'token' in issued ? linkOf(mailLink, issued.token, purpose) : undefined
    const code = issued && 'code' in issued ? issued.code : undefined
    const values = {
      ...facts,
      service,
      address,
      page: mailLink,
      link: link ?? '',
      code: code ?? '',
      validFor: issued ? duration(issued.expiresAt - clock()) : '',
    }
    return {
      id,
      to: address,
      ...templates.render(purpose, values),
      purpose,
      ...(link !== undefined && { link }),
      ...(code !== undefined && { code }),
    }
  }
}

export function isCodePurpose(purpose: string): purpose is CodePurpose {
  return CODE_PURPOSES.some((known) => known === purpose)
}

/**
 * The token is in the fragment, which browsers send to no server: it appears in no log and in no
 * `Referer`. A page that routes by its fragment gets it as a query there.
 */
function linkOf(mailLink: string, token: string, purpose: string): string {
  const separator = mailLink.includes('#') ? (mailLink.includes('?') ? '&' : '?') : '#'
  return `${mailLink}${separator}${new URLSearchParams({ token, purpose })}`
}

function duration(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000))
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  return `${Math.round(minutes / 60)} hours`
}
