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

type EventTargetMethod = (type: string, listener: () => void) => void

/** The features that only a page has. Its tabs share all but the events and the address. */
export interface Page {
  localStorage?: TokenStorage | undefined
  navigator?: { locks?: Locks } | undefined
  BroadcastChannel?: (new (name: string) => Channel) | undefined
  addEventListener?: EventTargetMethod | undefined
  removeEventListener?: EventTargetMethod | undefined
  location?: { href: string } | undefined
}

/** The part of the global object that the client uses. It works without what is optional. */
export interface Platform extends Page {
  fetch: typeof globalThis.fetch
  /** Exists only in a page. */
  document?: unknown
  /** The wall clock. It may be set, and it runs during sleep. */
  Date: { now(): number }
  /** A monotonic clock. It may stop while the machine sleeps. */
  performance: { now(): number }
  setTimeout(work: () => void, ms: number): unknown
  Request?: typeof globalThis.Request | undefined
  AbortSignal?: { timeout?(ms: number): AbortSignal } | undefined
  crypto?: { getRandomValues?(words: Uint32Array): Uint32Array } | undefined
}

/** Resolves after this many milliseconds. */
export function sleep({ setTimeout }: Platform, ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Returns a signal that aborts after this many milliseconds. */
export function timeoutSignal(platform: Platform, ms: number): AbortSignal {
  const signal = platform.AbortSignal?.timeout?.(ms)
  if (signal) return signal
  const controller = new AbortController()
  sleep(platform, ms).then(() => controller.abort())
  return controller.signal
}
