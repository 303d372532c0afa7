import type { ClientOptions } from '../types.ts'

/** The options of the client, of which these count here. */
export type AccountOptions = Pick<ClientOptions, 'baseUrl' | 'storage' | 'platform'>

export interface NewPassword {
  /** The token of the link in the mail. */
  token: string
  newPassword: string
}

export interface NewAddress {
  email: string
  /** May be absent for five minutes after a login. */
  currentPassword?: string | undefined
}

/** What a link in a mail is for, and its token. */
export interface MailLink {
  purpose: 'verify-address' | 'change-address' | 'reset-password'
  token: string
}

/** The part of the global object that `takeMailLink` uses. */
export interface MailPage {
  location: { hash: string; pathname: string; search: string }
  history: { state: unknown; replaceState(state: unknown, unused: string, url: string): void }
}

/** What users do with their accounts. All calls reject with `PawlClientError`. */
export interface Account {
  /**
   * Has a mail sent with a link to set a new password. It resolves in the same way if there is no
   * such account.
   */
  forgotPassword(email: string): Promise<void>
  /**
   * Sets a new password. All sessions of the user end, and if this browser is signed in as that
   * user, every tab is signed out. A password that is not acceptable does not use up the token.
   */
  resetPassword(password: NewPassword): Promise<void>
  /** Verifies the address that the mail went to. If it is a new one, it is in force from now on. */
  verifyEmail(token: string): Promise<void>
  /** Has the mail sent again that verifies the address of the signed-in user. */
  sendVerification(): Promise<void>
  /**
   * Has a mail sent to the new address of the signed-in user. Rejects with
   * `AUTH_REAUTHENTICATION_REQUIRED` if the password is necessary and absent.
   */
  changeEmail(address: NewAddress): Promise<void>
  /**
   * Deletes the account of the signed-in user, which cannot be undone, and signs every tab out. The
   * password may be absent for five minutes after a login. Later the call rejects with
   * `AUTH_REAUTHENTICATION_REQUIRED`. With a password, the user logs in again first.
   */
  deleteAccount(password?: string): Promise<void>
}
