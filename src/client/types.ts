import type { Platform } from './platform.ts'

export interface Credentials {
  email: string
  password: string
}

/** What the tokens are kept in: `localStorage`, or anything of this form, shared by all tabs that share a session. */
export interface TokenStorage {
  getItem(name: string): string | null | Promise<string | null>
  setItem(name: string, value: string): unknown
}

export interface ClientOptions {
  /** Where Pawl is, its prefix included: `https://auth.example.com`, or a path on this origin. */
  baseUrl: string
  /**
   * Given, refresh tokens are kept in it; it must be as well guarded as they are worth. Absent, they stay in a cookie that no
   * script can read, and nothing secret is stored.
   */
  storage?: TokenStorage
  /** Origins beside Pawl's and the page's own whose requests `fetch` adds the access token to. */
  origins?: readonly string[]
  /** For tests: in the stead of what the browser has. */
  platform?: Partial<Platform>
}

/** `ended`: the server refuses to go on, since the session has expired or was revoked. `restored`: one was found at the start. */
export type Reason = 'login' | 'restored' | 'logout' | 'ended'

export interface Change {
  signedIn: boolean
  /** Of the session that there is now. */
  sessionId: string | undefined
  reason: Reason
  /** It happened in another tab. */
  elsewhere: boolean
}

export interface Client {
  /** As far as this tab knows, without asking the server; undefined until the first call has found out. */
  readonly sessionId: string | undefined
  /** Create an account and sign in. Rejects with `PawlClientError`; so do those below. */
  signup(credentials: Credentials): Promise<{ sessionId: string }>
  login(credentials: Credentials): Promise<{ sessionId: string }>
  /** End the session. Resolves once the server has; rejects, still signed in, where it cannot be reached. */
  logout(): Promise<void>
  /** A live access token, refreshed if need be; undefined where nobody is signed in. To be asked first when a page loads. */
  token(): Promise<string | undefined>
  /** A new access token now, with the roles of now. */
  refresh(): Promise<string | undefined>
  /** The global `fetch`, with the access token; refreshes ahead of expiry, and once on a 401. */
  fetch: typeof globalThis.fetch
  /** Calls the listener when somebody signs in or out, here or in another tab; answers how to stop it. */
  onChange(listener: (change: Change) => void): () => void
  /** Stop listening to other tabs. */
  close(): void
}
