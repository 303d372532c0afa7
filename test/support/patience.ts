import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

const ATTEMPTS = 20
/** Milliseconds; a Redis that was away is connected again within a second or two. */
const PAUSE = 150

const statusOf = (answer: { statusCode: number } | { status: number }) =>
  'statusCode' in answer ? answer.statusCode : answer.status

/**
 * As a client that is told 503 does: it comes back, and takes what it is told in the end. On a machine that is busy any
 * process stands still for longer than a command to Redis may take, now and then. Not for what must be done at most
 * once, nor where 503 is what a test is about.
 */
export async function patiently<T extends { statusCode: number } | { status: number }>(
  ask: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask()
    if (statusOf(answer) !== 503 || attempt === ATTEMPTS) return answer
    if (answer instanceof Response) await answer.arrayBuffer()
    await delay(PAUSE)
  }
}

/** As `app.inject`, patiently. */
export function ask(app: FastifyInstance, request: InjectOptions): Promise<LightMyRequestResponse> {
  return patiently(() => app.inject(request))
}
