import type { FastifyRequest } from 'fastify'
import { PawlError } from '../errors.ts'
import type { RefusalType } from '../events/event.ts'
import type { RefusalEvent } from '../events/refusal-aggregator.ts'
import { deviceOf } from './client-address.ts'

/**
 * Returns the security event of an error, or undefined if the error says nothing of attacks: an
 * expired token, a malformed body. Nothing in the event is text that the client chose, but for the
 * user agent: the route is the pattern under which it is registered.
 */
export function refusalEventOf(request: FastifyRequest, error: unknown): RefusalEvent | undefined {
  if (!(error instanceof PawlError)) return undefined
  const type = typeOf(error, request)
  if (!type) return undefined
  const { auth, routeOptions, method } = request
  return {
    type,
    userId: auth?.userId,
    sessionId: auth?.sessionId,
    device: deviceOf(request),
    detail: { code: error.code, route: `${method} ${routeOptions.url ?? ''}` },
  }
}

function typeOf(
  { code, statusCode, isForged }: PawlError,
  { headers }: FastifyRequest,
): RefusalType | undefined {
  if (isForged) return 'token_rejected'
  // Without credentials, nobody guesses a secret.
  if (code === 'AUTH_INVALID_CLIENT') return headers.authorization ? 'client_rejected' : undefined
  if (code === 'AUTH_WRONG_PASSWORD') return 'password_rejected'
  if (statusCode === 403) return 'access_denied'
  return statusCode === 429 ? 'limit_reached' : undefined
}
