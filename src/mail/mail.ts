import type { Device } from '../sessions/device.ts'

/** Mails that carry a single-use token, as a link, or a code to type. */
export const CODE_PURPOSES = [
  'verify-address',
  'change-address',
  'reset-password',
  'login-code',
] as const
export type CodePurpose = (typeof CODE_PURPOSES)[number]

/** Notices that an operator can switch off one by one. */
export const OPTIONAL_NOTICES = [
  'password-changed',
  'password-reset',
  'address-changed',
  'new-device',
  'theft-found',
] as const
export type OptionalNotice = (typeof OPTIONAL_NOTICES)[number]

export function isOptionalNotice(purpose: string): purpose is OptionalNotice {
  return OPTIONAL_NOTICES.some((notice) => notice === purpose)
}

/** Mails that say what has happened. */
type Notice = OptionalNotice | 'sign-up-exists'

export const MAIL_PURPOSES = [...CODE_PURPOSES, ...OPTIONAL_NOTICES, 'sign-up-exists'] as const
export type MailPurpose = CodePurpose | Notice

/** A mail to be queued. */
export type NewMail = CodeMail | NoticeMail

interface CodeMail {
  purpose: CodePurpose
  userId: string
  address: string
}

export interface NoticeMail {
  purpose: Notice
  userId: string
  address: string
  /** When it happened, in milliseconds since 1970. */
  at: number
  /** The device that caused it. The mail names its browser and its IP address. */
  device?: Device
  /** The address of the account from now on, for `address-changed`. */
  newAddress?: string
}

/** Makes the token or the code of a mail that is about to be sent, and stores only its hash. */
interface CodeRequest {
  purpose: CodePurpose
  userId: string
  address: string
}

/** A token travels in a link, a code is typed. `expiresAt` is in milliseconds since 1970. */
export type IssuedCode = ({ token: string } | { code: string }) & { expiresAt: number }

/**
 * Returns a new code, which makes the earlier ones of its purpose void. Returns undefined if there
 * is no reason for the mail any more: the account is deleted or disabled, or has another address.
 */
export type IssueCode = (request: CodeRequest) => Promise<IssuedCode | undefined>

/** A mail as it is sent. */
export interface MailMessage {
  /** The same for each attempt, so that a repetition can be recognized. */
  id: string
  to: string
  subject: string
  text: string
  html: string
  purpose: MailPurpose
  /** The link in the mail, with its token. */
  link?: string
  /** The code in the mail, for the user to type. */
  code?: string
}

/** Sends a mail instead of SMTP. If it rejects, the mail is sent again later. */
export type MailCallback = (message: MailMessage) => Promise<void>
