import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { ask, patiently } from './patience.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** A request with an access token, and a body where there is one. */
export function call(
  app: FastifyInstance,
  accessToken: string,
  method: Method,
  url: string,
  payload?: object,
): Promise<LightMyRequestResponse> {
  return patiently(() => callOnce(app, accessToken, method, url, payload))
}

/** For what may be told 503 on purpose. */
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

/** A client that says it sends JSON, and sends nothing. */
export function callEmpty(app: FastifyInstance, accessToken: string, method: Method, url: string) {
  const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
  return ask(app, { method, url, headers })
}
