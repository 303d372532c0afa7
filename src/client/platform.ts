/** A storage like `localStorage`, or an asynchronous one. All tabs of a session must share it. */
export interface TokenStorage {
  getItem(name: string): string | null | Promise<string | null>
  setItem(name: string, value: string): unknown
}

export interface LockOptions {
  signal?: AbortSignal
  ifAvailable?: boolean
  steal?: boolean
}

/** The part of Web Locks that the client uses. */
export interface Locks {
  request(name: string, options: LockOptions, work: (lock: unknown) => unknown): Promise<unknown>
}

/** The part of BroadcastChannel that the client uses. */
export interface Channel {
  onmessage: ((event: { data: unknown }) => void) | null
  postMessage(message: unknown): void
  close(): void
}

type EventTargetMethod = (type: string, listener: (event: { key?: string | null }) => void) => void

/**
 * The features of a browser that the client uses. It works without those that may be undefined.
 */
export interface Platform {
  fetch: typeof globalThis.fetch
  /** Shared by the tabs of an origin. */
  storage: TokenStorage | undefined
  locks: Locks | undefined
  createChannel: ((name: string) => Channel) | undefined
  addEventListener: EventTargetMethod | undefined
  removeEventListener: EventTargetMethod | undefined
  /** The address of the page. */
  href: string | undefined
  /** Returns milliseconds since 1970. The clock may be set, and it runs during sleep. */
  wall(): number
  /** Returns milliseconds of a monotonic clock. It may stop while the machine sleeps. */
  steady(): number
  sleep(ms: number): Promise<void>
  /** Returns a signal that aborts after this many milliseconds. */
  timeoutSignal(ms: number): AbortSignal
}

interface Browser {
  localStorage?: TokenStorage
  navigator?: { locks?: Locks }
  location?: { href: string }
  BroadcastChannel?: new (name: string) => unknown
  addEventListener?: EventTargetMethod
  removeEventListener?: EventTargetMethod
}

/** Returns the browser features that the current page has. */
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
    timeoutSignal: (ms) => AbortSignal.timeout(ms),
  }
}

/** Returns undefined if the browser is configured to store nothing: then even the getter throws. */
function storageOf(page: Browser): TokenStorage | undefined {
  try {
    return page.localStorage
  } catch {
    return undefined
  }
}
