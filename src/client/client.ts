import { createAuthorizedFetch } from './authorized-fetch.ts'
import { PawlClientError } from './error.ts'
import { createPost, ignore401, retryTransient, type TokenResponse } from './http.ts'
import { browserPlatform } from './platform.ts'
import { createRefreshLock } from './refresh-lock.ts'
import { createSharedSession } from './shared-session.ts'
import { randomId, type StoredSession } from './stored-session.ts'
import type { Client, ClientOptions, Credentials } from './types.ts'

/** Milliseconds. After a refresh this recent, another tab probably has an access token to share. */
const RECENT = 5_000

/**
 * Creates a client; a page needs one. The tabs of an origin that use the same `baseUrl` are signed
 * in and out together.
 */
export function createClient({ baseUrl, storage, origins = [], ...rest }: ClientOptions): Client {
  const platform = { ...browserPlatform(), ...rest.platform }
  const { wall, href } = platform
  const base = new URL(baseUrl, href).href.replace(/\/+$/, '')
  const trusted = [base, href ?? base, ...origins].map((url) => new URL(url).origin)
  const name = `pawl ${base}`
  const sharedStorage = storage ?? platform.storage
  const withLock = createRefreshLock(platform, sharedStorage, name)
  const post = createPost(platform, base, !storage)
  const session = createSharedSession(platform, sharedStorage, name)
  const { accessToken } = session
  let refreshing: Promise<void> | undefined

  async function refreshIfNeeded(refused: string | undefined, waited: boolean): Promise<void> {
    const isDone = (stored: StoredSession | undefined) =>
      stored?.session === '' || accessToken.usable(refused)
    let stored = await session.sync()
    if (isDone(stored)) return
    const at = stored?.at ?? 0
    if (waited || ((accessToken.get()?.at ?? 0) < at && Math.abs(wall() - at) < RECENT)) {
      await session.askOtherTabs()
      stored = await session.sync()
      if (isDone(stored)) return
    }
    if (!stored) {
      if (storage) return
      // Only the server knows whether the cookie is good for a session. The key is stored before
      // the request, so that another tab can repeat it as a retry.
      stored = { key: randomId(), at: 0, why: 'restored' }
      await session.store.write(stored)
    }
    await refresh(stored)
  }

  /** Refreshes, and stores the response unless the session was replaced during the request. */
  async function refresh({ key, token, session: id, why }: StoredSession): Promise<void> {
    const at = wall()
    const response = await post('refresh', token && { refreshToken: token }, key).catch(ignore401)
    const now = await session.store.read()
    if (now?.key === key)
      return response ? session.save(response, at, id ? why : 'restored') : session.clear('ended')
    // The user signed out or in again, or another tab refreshed the session. Then a refusal or a
    // response for another session says nothing about the current one.
    if (!response || now?.session !== response.sessionId) throw new PawlClientError(0, {}, 0)
    await session.save(response, at)
  }

  /** Returns an access token that is not the refused one. Concurrent calls share one refresh. */
  async function getToken(refused?: string): Promise<string | undefined> {
    const stored = await session.sync()
    if (stored?.session === '') return undefined
    const usable = accessToken.usable(refused)
    if (usable) return usable
    refreshing ??= retryTransient(platform, () =>
      withLock((waited) => refreshIfNeeded(refused, waited)),
    ).finally(() => {
      refreshing = undefined
    })
    const unexpired = accessToken.unexpired(refused)
    // Before expiry no caller needs to wait for the refresh, nor to see that it failed.
    if (unexpired) refreshing.catch(() => {})
    else await refreshing
    return unexpired ?? accessToken.unexpired(refused)
  }

  function signIn(path: string, { email, password }: Credentials): Promise<{ sessionId: string }> {
    return withLock(async () => {
      const at = wall()
      const response = (await post(path, { email, password })) as TokenResponse
      await session.save(response, at, 'login')
      return { sessionId: response.sessionId }
    })
  }

  return {
    get sessionId() {
      return session.sessionId()
    },
    signup: (credentials) => signIn('signup', credentials),
    login: (credentials) => signIn('login', credentials),
    logout: () =>
      retryTransient(platform, () =>
        withLock(async () => {
          const stored = await session.sync()
          if (stored ? stored.session === '' : storage) return
          await post('logout', stored?.token && { refreshToken: stored.token }).catch(ignore401)
          await session.clear('logout')
        }),
      ),
    token: () => getToken(),
    refresh: () => getToken(accessToken.get()?.token),
    fetch: createAuthorizedFetch(platform, trusted, getToken),
    onChange: session.onChange,
    close: session.close,
  }
}
