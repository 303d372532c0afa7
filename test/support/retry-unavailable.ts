import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

const ATTEMPTS = 20
/** Milliseconds. Pawl reconnects to a Redis that is back within a second or two. */
const PAUSE = 150

const statusOf = (response: { statusCode: number } | { status: number }) =>
  'statusCode' in response ? response.statusCode : response.status

/**
 * Repeats a request while the response is a 503, as clients do. On a busy machine a process
 * sometimes stops for longer than a Redis command may take. This is not for requests that must be
 * made at most once, nor for tests about the 503 itself.
 */
export async function retryUnavailable<T extends { statusCode: number } | { status: number }>(
  request: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const response = await request()
    if (statusOf(response) !== 503 || attempt === ATTEMPTS) return response
    if (response instanceof Response) await response.arrayBuffer()
    await delay(PAUSE)
  }
}

/** Does what `app.inject` does, and repeats it while the response is a 503. */
export function inject(
  app: FastifyInstance,
  request: InjectOptions,
): Promise<LightMyRequestResponse> {
  return retryUnavailable(() => app.inject(request))
}
