import type { AccessToken } from './access-token.ts'
import { signedOut } from './error.ts'
import type { Platform } from './platform.ts'

/**
 * Returns a `fetch` that adds the access token to requests to the trusted origins. To any other
 * origin the token would be disclosed. A request that has credentials of its own stays as it is. A
 * request is sent only in the session in which it was made, which belongs to one user.
 */
export function createAuthorizedFetch(
  platform: Platform,
  trusted: readonly string[],
  currentId: () => string | undefined,
  getToken: (refused?: string, id?: string) => Promise<AccessToken | undefined>,
): typeof globalThis.fetch {
  return async (input, init) => {
    const id = currentId()
    // Old web views have no `Request`. It is used if possible, because it copies the body.
    const request = platform.Request && new platform.Request(input, init)
    const { headers, signal } = request ?? init ?? {}
    const own = new Headers(headers)
    const isTrusted =
      trusted.includes(new URL(request?.url ?? (input as string), trusted[1]).origin) &&
      !own.has('authorization')

    const send = (token?: AccessToken | false) => {
      const copy = request?.clone()
      if (token) (copy?.headers ?? own).set('authorization', `Bearer ${token.token}`)
      return copy ? platform.fetch(copy) : platform.fetch(input, { ...init, headers: own })
    }
    // An aborted request does not wait. Then `fetch` rejects with the reason and sends nothing.
    const aborted = new Promise<undefined>((resolve: (nothing?: undefined) => void) => {
      const stop = () => resolve()
      if (signal?.aborted) stop()
      signal?.addEventListener('abort', stop)
    })
    const wait = (refused?: string, of = id) => Promise.race([aborted, getToken(refused, of)])

    const token = isTrusted && (await wait())
    if (id && token === undefined && !signal?.aborted) throw signedOut()
    const response = await send(token)
    if (!token || response.status !== 401) return response
    // `insufficient_user_authentication` (RFC 9470 3): a new login helps, and a refresh does not.
    if (/r_auth/.test(response.headers.get('www-authenticate') as string)) return response
    const next = await wait(token.token, token.session)
    return next || signal?.aborted ? send(next) : response
  }
}
