import type { AccessToken } from './access-token.ts'
import { createAuthorizedFetch } from './authorized-fetch.ts'
import { PawlClientError, signedOut } from './error.ts'
import { createPost, ignoreEnded, retryTransient, type Tokens } from './http.ts'
import type { Page, Platform } from './platform.ts'
import { createRefreshLock } from './refresh-lock.ts'
import { createSharedSession } from './shared-session.ts'
import { type StoredSession, storageOf } from './stored-session.ts'
import type { Client, ClientOptions } from './types.ts'

/** Milliseconds. After a refresh this recent, another tab probably has an access token to share. */
const RECENT = 5_000

/**
 * Creates a client; a page needs one. The tabs of an origin that use the same `baseUrl` are signed
 * in and out together.
 */
export function createClient({
  baseUrl,
  storage,
  origins = [],
  platform = globalThis as unknown as Platform,
}: ClientOptions): Client {
  // On a server or in a worker, nothing is shared: there the clients may be of many users.
  const page: Page = platform.document ? platform : {}
  const href = page.location?.href
  // Only a page has a cookie. Without a page, a relative address has no meaning.
  const byCookie = !storage && !!href
  const base = new URL(baseUrl, href ?? 'http://invalid').href.replace(/\/+$/, '')
  const trusted = [base, href ?? base, ...origins].map((url) => new URL(url).origin)
  const name = `pawl ${byCookie ? '' : 'token '}${base}`
  const withLock = createRefreshLock(platform, page, name)
  const post = createPost(platform, base, byCookie)
  const session = createSharedSession(platform, page, storage ?? storageOf(page), name)
  const { accessToken } = session
  let refreshing: Promise<void> | undefined

  async function refreshIfNeeded(refused: string | undefined, waited: boolean): Promise<void> {
    let stored: StoredSession | undefined
    const isDone = async () => {
      stored = await session.sync()
      return stored?.session === '' || accessToken.valid(refused, true)
    }
    if (await isDone()) return
    const at = stored?.at ?? 0
    const isNewer = (accessToken.get()?.at ?? 0) < at
    if (waited || (isNewer && platform.Date.now() - at < RECENT)) {
      await session.ask()
      if (await isDone()) return
    }
    if (!stored) {
      if (!byCookie) return
      // Only the server knows whether the cookie is good for a session. The key is stored before
      // the request, so that another tab can repeat it as a retry.
      stored = await session.store.write({ why: 'restored' })
    }
    await refresh(stored)
  }

  /** Refreshes, and stores the response unless the session was replaced during the request. */
  async function refresh({ key, token, why }: StoredSession): Promise<void> {
    const tokens = await post('refresh', token && { refreshToken: token }, key).catch(ignoreEnded)
    const now = await session.store.read()
    if (now?.key === key) return tokens ? session.save(tokens, why) : session.clear('ended')
    // The user signed out or in again, or another tab refreshed the session. Then a refusal or a
    // response for another session says nothing about the current one.
    if (now?.session !== tokens?.access.session) throw new PawlClientError(0)
    if (tokens) await session.save(tokens)
  }

  /**
   * Returns an access token of this session that is not the refused one. Returns undefined if
   * another session or none has replaced it. If the id is not known, it is that of the current
   * session. Concurrent calls share one refresh.
   */
  async function getToken(refused?: string, id?: string): Promise<AccessToken | undefined> {
    await session.sync()
    const expected = id ?? session.id()
    if (expected === '') return undefined
    if (!accessToken.valid(refused, true)) {
      refreshing ??= retryTransient(platform, () =>
        withLock((waited) => refreshIfNeeded(refused, waited)),
      ).finally(() => {
        refreshing = undefined
      })
      // Before expiry no caller needs to wait for the refresh, nor to see that it failed.
      if (accessToken.valid(refused)) refreshing.catch(() => {})
      else await refreshing
    }
    const found = accessToken.valid(refused)
    return expected && found?.session !== expected ? undefined : found
  }

  function signIn(path: string, body?: object, token?: string): Promise<{ sessionId: string }> {
    return withLock(async () => {
      // The key of the latest record stays the same until the response has been received. So the
      // next attempt to refresh is a retry.
      const key = (await session.sync())?.key
      const tokens = (await post(path, body, key, token)) as Tokens
      await session.save(tokens, 'login')
      return { sessionId: tokens.access.session }
    })
  }

  return {
    get sessionId() {
      return session.id() || undefined
    },
    signIn,
    signup: (credentials) => signIn('signup', credentials),
    login: (credentials) => signIn('login', credentials),
    logout() {
      const id = session.id()
      return retryTransient(platform, () =>
        withLock(async () => {
          const stored = await session.sync()
          if (stored ? stored.session === '' : !byCookie) return
          if (id && id !== stored?.session) throw signedOut()
          await post('logout', stored?.token && { refreshToken: stored.token }).catch(ignoreEnded)
          // A tab that was frozen meanwhile must not sign out who has signed in since.
          if ((await session.store.read())?.key === stored?.key) await session.clear('logout')
        }),
      )
    },
    changePassword: async (passwords) =>
      signIn('password', passwords, (await getToken('', session.id()))?.token),
    token: async () => (await getToken())?.token,
    refresh: async () => (await getToken(accessToken.get()?.token))?.token,
    fetch: createAuthorizedFetch(platform, trusted, session.id, getToken),
    onChange: session.onChange,
    close: session.close,
  }
}
