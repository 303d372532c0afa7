import { errorText } from '../common/error-text.ts'
import { unavailable } from '../errors.ts'

/**
 * Awaits a reply of Redis. Rejects with `AUTH_UNAVAILABLE` if there is none.
 *
 * Only the text of the cause is kept, because errors of ioredis carry the command with its
 * arguments (https://github.com/redis/ioredis/issues/1713). When they no longer do, the error can
 * be passed on as the cause.
 */
export async function awaitReply<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    throw unavailable('Redis', new Error(errorText(error)))
  }
}
