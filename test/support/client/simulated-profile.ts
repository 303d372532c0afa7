import type { Channel, Platform } from '../../../src/client/platform.ts'
import type { ModelResponse, ModelServer } from './model-server.ts'
import type { Random, VirtualTime } from './virtual-time.ts'
import { createWebLocks } from './web-locks.ts'

const ORIGIN = 'https://app.example.com'
/** What something between the client and Pawl responds with. */
const FOREIGN: readonly [number, string][] = [
  [204, ''],
  [200, '<!doctype html>'],
  [401, '<!doctype html>'],
  [403, ''],
  [404, '<!doctype html>'],
  [502, '<!doctype html>'],
  [200, '{}'],
  [200, '{"accessToken":'],
  [401, '{"code":"AUTH_MISSING_TOKEN"}'],
]

/** Creates a browser profile in virtual time. Its tabs share cookies, storage and the network. */
export function createProfile(time: VirtualTime, random: Random, server: ModelServer) {
  const items = new Map<string, string>()
  const webLocks = createWebLocks()
  const tabs = new Set<ReturnType<typeof openTab>>()
  const profile = {
    cookie: undefined as string | undefined,
    /** Milliseconds by which the wall clock is wrong. */
    skew: 0,
    isOffline: false,
    /** Whether the network loses requests and responses and makes up others. */
    isFaulty: true,
    openTab,
    /** The largest number of refreshes that were under way at the same time. */
    maxRefreshing: 0,
    mistakes: [] as string[],
  }

  function openTab() {
    let isKilled = false
    /** Its refreshes that are under way. */
    let own = 0
    let deferred: (() => void)[] | undefined
    const locks = webLocks.forTab(() => isKilled)
    /** Runs the work unless the tab is closed, and not before a frozen tab is thawed. */
    const run = (work: () => void) => {
      if (deferred) deferred.push(work)
      else if (!isKilled) work()
    }
    const deliver = (ms: number, work: () => void) => time.after(ms, () => run(work))

    function send(
      request: Request,
      path: string,
      text: string,
      cookie: string | undefined,
    ): ModelResponse | undefined {
      if (profile.isOffline || (profile.isFaulty && random.chance(0.08))) return undefined
      if (profile.isFaulty && random.chance(0.06) && path.startsWith('/auth/'))
        return { status: random.pick([429, 503]) }
      const body = text ? JSON.parse(text) : undefined
      const { headers } = request
      return server.respond({ path, headers, body, cookie })
    }

    const fetch = (input: string | URL | Request, init?: RequestInit) =>
      new Promise<Response>((resolve, reject) => {
        const request = new Request(input, init)
        const path = new URL(request.url).pathname
        const isRefresh = path === '/auth/refresh'
        // A browser adds the cookie when it sends the request, however late that arrives.
        const { cookie } = profile
        let isSettled = false
        const settle = (work: () => void) => {
          if (isSettled) return
          isSettled = true
          if (isRefresh) own--
          run(work)
        }
        const lose = () => settle(() => reject(new TypeError('Failed to fetch')))
        if (request.signal.aborted) return reject(request.signal.reason)
        request.signal.addEventListener('abort', () => settle(() => reject(request.signal.reason)))
        if (isRefresh) own++
        const all = [...tabs].reduce((sum, other) => sum + other.refreshing(), 0)
        profile.maxRefreshing = Math.max(profile.maxRefreshing, all)
        check(request)
        void request.text().then((text) => {
          time.after(random.below(random.chance(0.1) ? 9_000 : 300), () => {
            const response = send(request, path, text, cookie)
            time.after(random.below(random.chance(0.1) ? 9_000 : 300), () => {
              if (isKilled || isSettled) return
              if (!response || (profile.isFaulty && random.chance(0.08))) return lose()
              if (profile.isFaulty && random.chance(0.08)) {
                // Pawl's response to a logout is a 204 without content, so nobody can tell them apart.
                const isLogout = path === '/auth/logout'
                const [status, content] = random.pick(isLogout ? FOREIGN.slice(1) : FOREIGN)
                const made = new Response(status === 204 ? null : content, { status })
                return settle(() => resolve(made))
              }
              if (response.cookie !== undefined) profile.cookie = response.cookie || undefined
              const content = response.content ? JSON.stringify(response.content) : null
              settle(() => resolve(new Response(content, { status: response.status })))
            })
          })
        })
      })

    /** Notes that a session was given up that the server has not ended. */
    function noteSignOut(before = '{}', after = '{}'): void {
      const { session, why } = JSON.parse(after)
      const isLive = server.sessions.get(JSON.parse(before).session)?.isLive
      if (session === '' && isLive) profile.mistakes.push(`${why} although the session is live`)
    }

    /** Notes a request whose token is not of the user for whom the application made it. */
    function check({ headers }: Request): void {
      const calledFor = headers.get('x-called-for')
      if (calledFor === null) return
      const token = headers.get('authorization')?.replace('Bearer ', '')
      const user = token ? (server.userOfToken(token) ?? 'nobody') : 'nobody'
      if (calledFor !== 'unknown' && user !== calledFor && user !== 'nobody')
        profile.mistakes.push(`a request of ${calledFor} was sent as ${user}`)
    }

    const tab = {
      channel: undefined as Channel | undefined,
      onEvent: () => {},
      run,
      deliver,
      platform: {} as Platform,
      refreshing: () => own,
      kill() {
        isKilled = true
        deferred = undefined
        tabs.delete(tab)
        locks.releaseAll()
      },
      freeze() {
        deferred ??= []
      },
      thaw() {
        const works = deferred ?? []
        deferred = undefined
        for (const work of works) run(work)
      },
    }
    tab.platform = {
      document: {},
      location: { href: `${ORIGIN}/` },
      Request,
      crypto: {
        getRandomValues: (words) => words.map(() => random.below(2 ** 32)),
      },
      localStorage: {
        getItem: (name) => items.get(name) ?? null,
        setItem(name, value) {
          noteSignOut(items.get(name), value)
          items.set(name, value)
          for (const other of tabs)
            if (other !== tab) other.deliver(random.below(30), () => other.onEvent())
        },
      },
      navigator: { locks },
      BroadcastChannel: class implements Channel {
        onmessage: Channel['onmessage'] = null
        constructor() {
          tab.channel = this
        }
        postMessage(data: unknown) {
          for (const other of tabs)
            if (other !== tab)
              other.deliver(random.below(30), () => other.channel?.onmessage?.({ data }))
        }
        close() {}
      },
      addEventListener: (type, listener) => {
        if (type === 'storage') tab.onEvent = listener
      },
      Date: { now: () => time.now() + profile.skew },
      performance: { now: () => time.now() },
      setTimeout: (work, ms) => deliver(ms, work),
      AbortSignal: {
        timeout(ms) {
          const controller = new AbortController()
          deliver(ms, () => controller.abort(new DOMException('timeout', 'TimeoutError')))
          return controller.signal
        },
      },
      fetch: fetch as typeof globalThis.fetch,
    }
    tabs.add(tab)
    return tab
  }

  return profile
}
