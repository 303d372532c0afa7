import type { TokenStorage } from './types.ts'

export interface LockOptions {
  signal?: AbortSignal
  ifAvailable?: boolean
  steal?: boolean
}

/** What the client needs of Web Locks. */
export interface Locks {
  request(name: string, options: LockOptions, work: (lock: unknown) => unknown): Promise<unknown>
}

/** What it needs of a BroadcastChannel. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
}

type Listen = (type: string, listener: (event: { key?: string | null }) => void) => void

/** What the client needs of a browser. Where tabs share nothing (no storage, locks or channel) it does without. */
export interface Platform {
  fetch: typeof globalThis.fetch
  /** Shared by the tabs of an origin. */
  storage: TokenStorage | undefined
  locks: Locks | undefined
  createChannel: ((name: string) => Channel) | undefined
  addEventListener: Listen | undefined
  removeEventListener: Listen | undefined
  /** The page's own address. */
  href: string | undefined
  /** Milliseconds since the epoch: may be set, and goes on while the machine sleeps. */
  wall(): number
  /** Milliseconds since some moment: never set, and may stand still while the machine sleeps. */
  steady(): number
  sleep(ms: number): Promise<void>
  /** A signal that aborts after so many milliseconds. */
  limit(ms: number): AbortSignal
}
