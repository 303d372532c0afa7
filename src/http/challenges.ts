import type { PawlError } from '../errors.ts'

/**
 * Returns the `WWW-Authenticate` challenge of a 401 or 403: RFC 6750 3 and RFC 9470 3 for users,
 * RFC 7617 2 for clients. A bearer challenge has an `error` only if the request carried a token.
 */
export function challengeOf({ code, statusCode, maxAge }: PawlError): string | undefined {
  if (statusCode === 403)
    return code === 'AUTH_FORBIDDEN' ? 'Bearer error="insufficient_scope"' : undefined
  if (statusCode !== 401) return undefined
  if (code === 'AUTH_REAUTHENTICATION_REQUIRED') {
    const limit = maxAge === undefined ? '' : `, max_age="${maxAge}"`
    return `Bearer error="insufficient_user_authentication"${limit}`
  }
  if (code === 'AUTH_INVALID_CLIENT') return 'Basic realm="pawl", charset="UTF-8"'
  const hasToken = code === 'AUTH_INVALID_TOKEN' || code === 'AUTH_INVALID_REFRESH_TOKEN'
  return hasToken ? 'Bearer error="invalid_token"' : 'Bearer'
}
