import type { TokenStorage } from './platform.ts'
import type { Reason } from './types.ts'

/** The session as the tabs of an origin share it. The names of the fields are the stored format. */
export interface StoredSession {
  /** The session's id. Empty: the user is signed out. Undefined: only the server knows. */
  session?: string
  /**
   * The retry key of the next refresh. All tabs send the same one until one of them has the
   * response, so the server takes a repetition for a retry, whichever tab sends it.
   */
  key: string
  /** The refresh token, if the application chose a storage for it. */
  token?: string | undefined
  /** When the latest access token was requested, in milliseconds since 1970. */
  at: number
  why: Reason
}

/** Returns 128 random bits as hexadecimal text. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Creates the store of the session. Everything is one item, so that no tab reads a token together
 * with the key of another token. Without a storage each tab has a session record of its own.
 */
export function createSessionStore(storage: TokenStorage | undefined, name: string) {
  let own: string | null = null
  return {
    async read(): Promise<StoredSession | undefined> {
      const text = storage ? await storage.getItem(name) : own
      try {
        return JSON.parse(text ?? '') as StoredSession
      } catch {
        return undefined
      }
    },
    async write(stored: StoredSession): Promise<void> {
      own = JSON.stringify(stored)
      await storage?.setItem(name, own)
    },
  }
}
