import type { Page, Platform, TokenStorage } from './platform.ts'
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
  /** When the latest access token was requested, if any was, in milliseconds since 1970. */
  at?: number
  why: Reason
}

/** Returns 128 random bits as text, of a weaker source if the platform has no good one. */
export function randomId({ crypto }: Pick<Platform, 'crypto'>): string {
  const words = crypto?.getRandomValues?.(new Uint32Array(4))
  return (words ?? [0, 0, 0, 0].map(Math.random)).join('-')
}

/**
 * Creates the store of the session. Everything is one item, so that no tab reads a token together
 * with the key of another token. Without a storage each tab has a session record of its own.
 */
export function createSessionStore(
  platform: Platform,
  storage: TokenStorage | undefined,
  name: string,
) {
  let own: string | null | undefined
  return {
    async read(): Promise<StoredSession | undefined> {
      const text = storage ? await storage.getItem(name) : own
      try {
        return JSON.parse(text as string) as StoredSession
      } catch {
        return undefined
      }
    },
    /** Stores the session with a new key, and returns both. */
    async write(session: Omit<StoredSession, 'key'>): Promise<StoredSession> {
      const stored = { ...session, key: randomId(platform) }
      own = JSON.stringify(stored)
      await storage?.setItem(name, own)
      return stored
    },
  }
}

/** Returns undefined if the browser is configured to store nothing: then even the getter throws. */
export function storageOf(page: Page): TokenStorage | undefined {
  try {
    return page.localStorage
  } catch {
    return undefined
  }
}
