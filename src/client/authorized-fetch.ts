import type { Platform } from './platform.ts'

/**
 * Returns a `fetch` that adds the access token to requests to the trusted origins. To any other
 * origin the token would be disclosed. A request that has credentials of its own stays as it is.
 */
export function createAuthorizedFetch(
  { fetch }: Platform,
  trusted: readonly string[],
  getToken: (refused?: string) => Promise<string | undefined>,
): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const isTrusted =
      trusted.includes(new URL(request.url).origin) && !request.headers.has('authorization')
    const send = (token?: string) => {
      const copy = request.clone()
      if (token) copy.headers.set('authorization', `Bearer ${token}`)
      return fetch(copy)
    }
    const token = isTrusted ? await getToken() : undefined
    const response = await send(token)
    const next = token && response.status === 401 ? await getToken(token) : undefined
    return next ? send(next) : response
  }
}
