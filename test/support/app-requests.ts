/**
 * Requests to a server in this process. They are repeated while the response is a 503, except for
 * those named `…Once`, which are for tests that expect a 503.
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from './credentials.ts'
import { inject, retryUnavailable } from './retry-unavailable.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** Creates an account with its first session. */
export async function signUp(
  app: FastifyInstance,
  email = newEmail(),
): Promise<TokenPair & { email: string }> {
  const payload = { email, password: PASSWORD }
  const response = await inject(app, { method: 'POST', url: '/auth/signup', payload })
  // A sign-up that was answered with 503 may have created the account all the same.
  const created = response.statusCode === 409 ? await logIn(app, email) : response
  if (created.statusCode >= 300)
    throw new Error(`sign-up failed with ${created.statusCode}: ${created.body}`)
  return { ...created.json<TokenPair>(), email }
}

export function logIn(
  app: FastifyInstance,
  email: string,
  password = PASSWORD,
): Promise<LightMyRequestResponse> {
  return retryUnavailable(() => logInOnce(app, email, password))
}

export function logInOnce(
  app: FastifyInstance,
  email: string,
  password = PASSWORD,
): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'POST', url: '/auth/login', payload: { email, password } })
}

/** Refreshes as a client does: it repeats a 503 within the grace period, or with the same key. */
export function refresh(
  app: FastifyInstance,
  refreshToken: string,
  retryKey?: string,
): Promise<LightMyRequestResponse> {
  return retryUnavailable(() => refreshOnce(app, refreshToken, retryKey))
}

export function refreshOnce(
  app: FastifyInstance,
  refreshToken: string,
  retryKey?: string,
): Promise<LightMyRequestResponse> {
  const headers = retryKey ? { 'idempotency-key': retryKey } : {}
  return app.inject({ method: 'POST', url: '/auth/refresh', headers, payload: { refreshToken } })
}

export function me(app: FastifyInstance, accessToken: string): Promise<LightMyRequestResponse> {
  return call(app, accessToken, 'GET', '/auth/me')
}

export function meOnce(app: FastifyInstance, accessToken: string): Promise<LightMyRequestResponse> {
  return callOnce(app, accessToken, 'GET', '/auth/me')
}

/** Sends a request with an access token, and with a body if one is given. */
export function call(
  app: FastifyInstance,
  accessToken: string,
  method: Method,
  url: string,
  payload?: object,
): Promise<LightMyRequestResponse> {
  return retryUnavailable(() => callOnce(app, accessToken, method, url, payload))
}

export function callOnce(
  app: FastifyInstance,
  accessToken: string,
  method: Method,
  url: string,
  payload?: object,
): Promise<LightMyRequestResponse> {
  const headers = { authorization: `Bearer ${accessToken}` }
  return app.inject({ method, url, headers, ...(payload && { payload }) })
}

/** Sends a request that claims to be JSON and has no body. */
export function callEmpty(app: FastifyInstance, accessToken: string, method: Method, url: string) {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  return inject(app, { method, url, headers })
}
