import { unavailable } from '../errors.ts'

/**
 * Await a reply of Redis; none becomes `AUTH_UNAVAILABLE`. The client's own error carries the command and its arguments:
 * only what went wrong is kept.
 */
export async function awaitReply<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    throw unavailable('Redis', new Error(error instanceof Error ? error.message : 'unknown'))
  }
}
