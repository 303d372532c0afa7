import type { Device } from '../sessions/device.ts'

/** Mails that carry a single-use token, as a link, or a code to type. */
type CodePurpose = 'verify-address' | 'change-address' | 'reset-password' | 'login-code'

/** Mails that say what has happened. */
type Notice =
  | 'sign-up-exists'
  | 'password-changed'
  | 'password-reset'
  | 'address-changed'
  | 'new-device'
  | 'theft-found'

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
