import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { newEmail, PASSWORD } from './credentials.ts'
import { inject } from './retry-unavailable.ts'

export const ORIGIN = 'https://auth.example.com'
export const BY_COOKIE = { 'x-token-delivery': 'cookie' }

export interface PostOptions {
  cookie?: string
  payload?: object
  headers?: Record<string, string>
  remoteAddress?: string
}

/** Sends what a page of the server's own origin would send. */
export function post(
  app: FastifyInstance,
  path: string,
  { cookie, payload, headers, remoteAddress }: PostOptions = {},
): Promise<LightMyRequestResponse> {
  return inject(app, {
    method: 'POST',
    url: `/auth/${path}`,
    headers: { origin: ORIGIN, ...(cookie && { cookie }), ...headers },
    ...(payload && { payload }),
    ...(remoteAddress && { remoteAddress }),
  })
}

/** Creates an account whose refresh token is delivered in the cookie. */
export async function signUp(
  app: FastifyInstance,
  options: PostOptions = {},
): Promise<LightMyRequestResponse> {
  const payload = { email: newEmail(), password: PASSWORD }
  const all = { payload, ...options, headers: { ...BY_COOKIE, ...options.headers } }
  const response = await post(app, 'signup', all)
  // An earlier attempt may have created the account, although its response was a 503.
  return response.statusCode === 409 ? post(app, 'login', all) : response
}
