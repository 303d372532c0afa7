import { setTimeout as delay, setImmediate as tick } from 'node:timers/promises'
import type { Channel, LockOptions, Platform } from '../../../src/client/platform.ts'
import type { TokenStorage } from '../../../src/client/types.ts'
import { patiently } from '../patience.ts'

/** What becomes of a request: it is sent or not, and its answer taken, with its cookies, or not. */
export type Wire = (
  path: string,
  send: () => Promise<Response>,
  take: (answer: Response) => Response,
  request: Request,
) => Promise<Response>

interface Held {
  release: () => void
  rejected: (error: Error) => void
}

/** What the tabs of one browser share: a cookie jar, storage, locks, channels, clocks and the wire. */
export function createBrowser(origin: string) {
  const jar = new Map<string, string>()
  const items = new Map<string, string>()
  const tabs = new Set<{ hear: (key: string) => void; channel: Channel | undefined }>()
  const holders = new Map<string, Held>()
  const waiting = new Map<string, (() => void)[]>()
  const limits: { ms: number; controller: AbortController }[] = []
  const browser = {
    jar,
    items,
    /** Every request, as `POST /auth/refresh`. */
    requests: [] as string[],
    /** The `Idempotency-Key` of each refresh. */
    keys: [] as string[],
    /** Milliseconds that a tab wanted to wait before it tried again. */
    pauses: [] as number[],
    wire: (async (_path, send, take) => take(await send())) as Wire,
    wall: Date.now(),
    steady: 0,
    /** The clocks go on; asleep, only the one on the wall. */
    pass(ms: number, asleep = false) {
      browser.wall += ms
      if (!asleep) browser.steady += ms
    },
    refreshes: () => browser.requests.filter((request) => request.endsWith('/refresh')).length,
    /** Time limits of so many milliseconds are over now. */
    reach(ms: number) {
      for (const limit of limits) if (limit.ms === ms) limit.controller.abort()
    },
    limits,
    openTab,
  }

  async function send(request: Request): Promise<Response> {
    const headers = new Headers(request.headers)
    if (request.method === 'POST') headers.set('origin', origin)
    const cookies = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookies && new URL(request.url).pathname.startsWith('/auth/'))
      headers.set('cookie', cookies)
    const body = request.method === 'POST' ? await request.text() : null
    // That a server is busy is a case of its own, with an answer that is made up for it.
    return patiently(() =>
      fetch(request.url, { method: request.method, headers, body: body || null }),
    )
  }

  /** As the network process does, whether the page still lives or not. */
  function takeCookies(response: Response): Response {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  function passOn(name: string): void {
    const next = waiting.get(name)?.shift()
    if (next) holders.set(name, { release() {}, rejected() {} })
    else holders.delete(name)
    next?.()
  }

  function openTab({ without = [] as (keyof Platform)[] } = {}) {
    const alive = new Set<Held>()
    let isDead = false
    const never = new Promise<never>(() => {})
    const tab = {
      hear: (_key: string) => {},
      channel: undefined as Channel | undefined,
      platform: {} as Partial<Platform>,
      /** Gone in the middle of whatever it does: nothing more of its code runs, and its locks are free. */
      kill() {
        isDead = true
        tabs.delete(tab)
        for (const { release } of alive) release()
      },
      /** Stopped, its locks with it. */
      freeze() {
        isDead = true
      },
    }
    const whileAlive = async <T>(value: Promise<T>): Promise<T> => {
      const settled = await Promise.allSettled([value])
      if (isDead) return never
      const [result] = settled
      if (result.status === 'rejected') throw result.reason
      return result.value
    }

    const storage: TokenStorage = {
      getItem: (name) => items.get(name) ?? null,
      setItem(name, value) {
        if (isDead) return
        items.set(name, value)
        for (const other of tabs) if (other !== tab) setImmediate(() => other.hear(name))
      },
    }

    async function request(
      name: string,
      options: LockOptions,
      work: (lock: unknown) => unknown,
    ): Promise<unknown> {
      const held = holders.get(name)
      if (held && options.ifAvailable) return await work(null)
      if (held && options.steal) held.rejected(new DOMException('stolen', 'AbortError'))
      else if (held) {
        await new Promise<void>((resolve, reject) => {
          const queue = waiting.get(name) ?? []
          waiting.set(name, queue)
          queue.push(resolve)
          options.signal?.addEventListener('abort', () => {
            if (!queue.includes(resolve)) return
            queue.splice(queue.indexOf(resolve), 1)
            reject(options.signal?.reason)
          })
        })
      }
      if (isDead) {
        passOn(name)
        return never
      }
      return await new Promise((resolve, reject) => {
        const mine: Held = {
          rejected: reject,
          release() {
            alive.delete(mine)
            if (holders.get(name) === mine) passOn(name)
          },
        }
        holders.set(name, mine)
        alive.add(mine)
        Promise.resolve(work({ name })).then(
          (value) => {
            mine.release()
            resolve(value)
          },
          (error) => {
            mine.release()
            reject(error)
          },
        )
      })
    }

    const platform: Platform = {
      fetch: (input, init) => {
        const asked = new Request(input, init)
        const { pathname } = new URL(asked.url)
        browser.requests.push(`${asked.method} ${pathname}`)
        if (pathname.endsWith('/refresh'))
          browser.keys.push(asked.headers.get('idempotency-key') ?? '')
        const answer = browser.wire(pathname, () => send(asked), takeCookies, asked)
        const aborted = new Promise<never>((_resolve, reject) =>
          asked.signal.addEventListener('abort', () => reject(asked.signal.reason)),
        )
        return whileAlive(Promise.race([answer, aborted]))
      },
      storage,
      locks: { request: (...given) => whileAlive(request(...given)) },
      createChannel: () => {
        const channel: Channel = {
          onmessage: null,
          postMessage(data) {
            const copy = structuredClone(data)
            for (const other of tabs)
              if (other !== tab) setImmediate(() => other.channel?.onmessage?.({ data: copy }))
          },
          close: () => tabs.delete(tab),
        }
        tab.channel = channel
        return channel
      },
      addEventListener: (type, listener) => {
        if (type === 'storage') tab.hear = (key) => listener({ key })
      },
      removeEventListener: () => {},
      href: `${origin}/`,
      wall: () => browser.wall,
      steady: () => browser.steady,
      sleep: async (ms) => {
        if (ms === HAND_OVER) await delay(ms)
        else browser.pauses.push(ms)
        await whileAlive(tick())
      },
      limit: (ms) => {
        const controller = new AbortController()
        limits.push({ ms, controller })
        return controller.signal
      },
    }
    tabs.add(tab)
    tab.platform = platform
    for (const name of without) tab.platform = { ...tab.platform, [name]: undefined }
    return tab
  }

  return browser
}

/** The one pause that is really made: for another tab to answer. */
const HAND_OVER = 500

/** The request reaches the server, its answer nobody: not even the cookie jar. */
export function losing(times: number, path = '/auth/refresh'): Wire {
  let left = times
  return async (asked, send, take) => {
    const answer = await send()
    if (asked !== path || left-- <= 0) return take(answer)
    throw new TypeError('the connection was lost')
  }
}
