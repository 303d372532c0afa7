import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises'
import type { Channel, Platform, TokenStorage } from '../../../src/client/platform.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import { createWebLocks } from './web-locks.ts'

/** The client's wait for another tab, in milliseconds. Only this pause really happens. */
const HANDOVER_TIMEOUT = 500

/**
 * Decides what happens to a request. `send` sends it, and `take` stores the cookies of its
 * response. A wire that omits one or both simulates a fault.
 */
export type Wire = (
  path: string,
  send: () => Promise<Response>,
  take: (response: Response) => Response,
  request: Request,
) => Promise<Response>

/** Simulates a browser: its tabs share cookies, storage, locks, channels, clocks and the wire. */
export function createBrowser(origin: string) {
  const jar = new Map<string, string>()
  const items = new Map<string, string>()
  const tabs = new Set<{ onStorage: () => void; channel: Channel | undefined }>()
  const webLocks = createWebLocks()
  const timeouts: { ms: number; controller: AbortController }[] = []
  const browser = {
    jar,
    items,
    /** All requests, in the form `POST /auth/refresh`. */
    requests: [] as string[],
    /** The `Idempotency-Key` of each refresh. */
    keys: [] as string[],
    /** The pauses before retries, in milliseconds. They are recorded and not waited for. */
    pauses: [] as number[],
    wire: (async (_path, send, take) => take(await send())) as Wire,
    wall: Date.now(),
    steady: 0,
    /** Advances the clocks, or only the wall clock if the machine is asleep. */
    pass(ms: number, asleep = false) {
      browser.wall += ms
      if (!asleep) browser.steady += ms
    },
    refreshes: () => browser.requests.filter((request) => request.endsWith('/refresh')).length,
    /** Ends the timeouts that were set to this many milliseconds. */
    endTimeouts(ms: number) {
      for (const timeout of timeouts) if (timeout.ms === ms) timeout.controller.abort()
    },
    timeouts,
    openTab,
  }

  async function send(request: Request): Promise<Response> {
    const headers = new Headers(request.headers)
    if (request.method !== 'GET') headers.set('origin', origin)
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookies && new URL(request.url).pathname.startsWith('/auth/'))
      headers.set('cookie', cookies)
    const body = request.method === 'POST' ? await request.text() : null
    // A real 503 of a busy test machine is repeated. Tests of a 503 make up the response.
    return retryUnavailable(() =>
      fetch(request.url, { method: request.method, headers, body: body || null }),
    )
  }

  /** Stores the cookies as a browser's network process does, even if the page was closed. */
  function takeCookies(response: Response): Response {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  function openTab({ without = [] as (keyof Platform)[] } = {}) {
    let isStopped = false
    const locks = webLocks.forTab(() => isStopped)
    const never = new Promise<never>(() => {})
    const tab = {
      onStorage: () => {},
      channel: undefined as Channel | undefined,
      platform: {} as Platform,
      /** Ends the tab at once: no more of its code runs, and its locks are released. */
      kill() {
        isStopped = true
        tabs.delete(tab)
        locks.releaseAll()
      },
      /** Stops the tab, which keeps its locks. */
      freeze() {
        isStopped = true
      },
    }
    const whileAlive = async <T>(value: Promise<T>): Promise<T> => {
      const settled = await Promise.allSettled([value])
      if (isStopped) return never
      const [result] = settled
      if (result.status === 'rejected') throw result.reason
      return result.value
    }

    const storage: TokenStorage = {
      getItem: (name) => items.get(name) ?? null,
      setItem(name, value) {
        if (isStopped) return
        items.set(name, value)
        for (const other of tabs) if (other !== tab) setImmediate(() => other.onStorage())
      },
    }

    const platform: Platform = {
      document: {},
      Request,
      crypto,
      fetch: (input, init) => {
        const sent = new Request(input, init)
        if (sent.signal.aborted) return Promise.reject(sent.signal.reason)
        const { pathname } = new URL(sent.url)
        browser.requests.push(`${sent.method} ${pathname}`)
        if (pathname.endsWith('/refresh'))
          browser.keys.push(sent.headers.get('idempotency-key') ?? '')
        const response = browser.wire(pathname, () => send(sent), takeCookies, sent)
        const aborted = new Promise<never>((_resolve, reject) =>
          sent.signal.addEventListener('abort', () => reject(sent.signal.reason)),
        )
        return whileAlive(Promise.race([response, aborted]))
      },
      localStorage: storage,
      navigator: { locks: { request: (...args) => whileAlive(locks.request(...args)) } },
      BroadcastChannel: class implements Channel {
        onmessage: Channel['onmessage'] = null
        constructor() {
          tab.channel = this
        }
        postMessage(data: unknown) {
          const copy = structuredClone(data)
          for (const other of tabs)
            if (other !== tab) setImmediate(() => other.channel?.onmessage?.({ data: copy }))
        }
        close = () => tabs.delete(tab)
      },
      addEventListener: (type, listener) => {
        if (type === 'storage') tab.onStorage = listener
      },
      location: { href: `${origin}/` },
      Date: { now: () => browser.wall },
      performance: { now: () => browser.steady },
      setTimeout: async (work, ms) => {
        if (ms === HANDOVER_TIMEOUT) await delay(ms)
        else browser.pauses.push(ms)
        await whileAlive(tick())
        work()
      },
      AbortSignal: {
        timeout(ms) {
          const controller = new AbortController()
          timeouts.push({ ms, controller })
          return controller.signal
        },
      },
    }
    tabs.add(tab)
    tab.platform = platform
    for (const name of without) tab.platform = { ...tab.platform, [name]: undefined }
    return tab
  }

  return browser
}

/** Returns a wire that sends requests but loses this many responses with their cookies. */
export function losing(times: number, path = '/auth/refresh'): Wire {
  let left = times
  return async (requested, send, take) => {
    const response = await send()
    if (requested !== path || left-- <= 0) return take(response)
    throw new TypeError('the connection was lost')
  }
}
