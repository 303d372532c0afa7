import type { Platform, TokenStorage } from './platform.ts'

export interface Credentials {
  email: string
  password: string
}

export interface Passwords {
  currentPassword: string
  newPassword: string
}

export interface ClientOptions {
  /** Pawl's address with its prefix: `https://auth.example.com`, or a path on this origin. */
  baseUrl: string
  /**
   * Where to store refresh tokens. It must be protected as well as a session deserves. By default
   * they are in a cookie that no script can read, and nothing secret is stored.
   */
  storage?: TokenStorage
  /**
   * Origins to which `fetch` sends the access token, in addition to Pawl's and the page's own.
   */
  origins?: readonly string[]
  /** Replaces the global object in tests. */
  platform?: Platform
}

/**
 * Why the user is signed in or out. `restored`: the page found a session when it loaded. `ended`:
 * the server refuses to go on, because the session has expired or was revoked.
 */
export type Reason = 'login' | 'restored' | 'logout' | 'ended'

export interface Change {
  signedIn: boolean
  /** The id of the current session, or undefined if the user is signed out. */
  sessionId: string | undefined
  reason: Reason
  /** True if it happened in another tab. */
  elsewhere: boolean
}

export interface Client {
  /**
   * The id of the session as far as this tab knows, without asking the server. It is undefined
   * until the first call has found out.
   */
  readonly sessionId: string | undefined
  /** Creates an account and signs in. Rejects with `PawlClientError`, as all calls to Pawl do. */
  signup(credentials: Credentials): Promise<{ sessionId: string }>
  login(credentials: Credentials): Promise<{ sessionId: string }>
  /**
   * Signs in by another route than `login`: one of your own that responds with the result of
   * `app.pawl.sessions.start`, or `reauthenticate`, or `refresh` on the page to which a login
   * elsewhere has redirected. `path` is relative to Pawl's `/auth/`, `body` is sent as JSON, and
   * `token` is an access token to send along.
   */
  signIn(path: string, body?: object, token?: string): Promise<{ sessionId: string }>
  /**
   * Changes the password. All sessions of the user end, and this browser continues with a new one.
   */
  changePassword(passwords: Passwords): Promise<{ sessionId: string }>
  /**
   * Ends the session and resolves when the server has done so. If the server cannot be reached, it
   * rejects and the user stays signed in.
   */
  logout(): Promise<void>
  /**
   * Returns an unexpired access token, refreshed if necessary, or undefined without a session.
   * Call it when a page loads to find out whether there is a session.
   */
  token(): Promise<string | undefined>
  /** Refreshes now and returns an access token with the user's current roles. */
  refresh(): Promise<string | undefined>
  /**
   * Sends a request as the global `fetch` does, with the access token. Refreshes shortly before the
   * token expires, and once if the response is a 401.
   */
  fetch: typeof globalThis.fetch
  /**
   * Calls the listener when the user signs in or out, in this tab or another. Returns a function
   * that removes the listener.
   */
  onChange(listener: (change: Change) => void): () => void
  /** Stops listening to other tabs. */
  close(): void
}
