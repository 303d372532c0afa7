import type { Reason, TokenStorage } from './types.ts'

/** What the tabs of an origin keep together. */
export interface Kept {
  /** Undefined: not known yet. Empty: nobody is signed in. */
  session?: string
  /** Of the next refresh, for all tabs, until one of them has its answer: so it is a retry whoever sends it again. */
  key: string
  /** Only where the caller has tokens stored. */
  token?: string | undefined
  /** When a tab last got an access token; milliseconds since the epoch. */
  at: number
  why: Reason
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** In one item, so that no tab sees a token beside the key of another. */
export function createRecord(storage: TokenStorage | undefined, name: string) {
  let own: string | null = null
  return {
    async read(): Promise<Kept | undefined> {
      const text = storage ? await storage.getItem(name) : own
      try {
        return JSON.parse(text ?? '') as Kept
      } catch {
        return undefined
      }
    },
    async write(kept: Kept): Promise<void> {
      own = JSON.stringify(kept)
      await storage?.setItem(name, own)
    },
  }
}
