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

/** What the client needs of a browser. Where there is no storage, no locks or no channel it does without. */
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

interface Browser {
  localStorage?: TokenStorage
  navigator?: { locks?: Locks }
  location?: { href: string }
  BroadcastChannel?: new (name: string) => unknown
  addEventListener?: Listen
  removeEventListener?: Listen
}

/** As the page has it. */
export function browserPlatform(): Platform {
  const page = globalThis as Browser
  const { BroadcastChannel } = page
  return {
    fetch: (...request) => fetch(...request),
    storage: storageOf(page),
    locks: page.navigator?.locks,
    createChannel: BroadcastChannel && ((name) => new BroadcastChannel(name) as Channel),
    addEventListener: page.addEventListener?.bind(page),
    removeEventListener: page.removeEventListener?.bind(page),
    href: page.location?.href,
    wall: Date.now,
    steady: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    limit: (ms) => AbortSignal.timeout(ms),
  }
}

/** A browser that is told to keep nothing throws already where it is asked for it. */
function storageOf(page: Browser): TokenStorage | undefined {
  try {
    return page.localStorage
  } catch {
    return undefined
  }
}
