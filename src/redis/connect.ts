import { once } from 'node:events'
import { Redis } from 'ioredis'

/** Milliseconds that a command may take before its caller is told 503. */
const COMMAND_LIMIT = 1_000
/** Milliseconds to wait at start for a server that is not there yet. */
const START_LIMIT = 5_000

/**
 * A client that fails fast: while Redis is away a command is refused at once instead of queued, and one whose answer was
 * lost is not sent again behind its caller's back. It reconnects by itself, at most a second after Redis is back.
 * Rejects where Redis cannot be reached within about 5 seconds. `onTrouble` hears of connection errors, once per outage.
 */
export async function connectRedis(url: string, onTrouble: (error: Error) => void): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: COMMAND_LIMIT,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1_000),
    connectionName: 'pawl',
  })
  let trouble: Error | undefined
  let started = false
  redis.on('error', (error: Error) => {
    if (!trouble && started) onTrouble(error)
    trouble = error
  })
  redis.on('ready', () => {
    trouble = undefined
  })
  const ready = once(redis, 'ready', { signal: AbortSignal.timeout(START_LIMIT) })
  // Its failures arrive as 'error' events, and it goes on trying; `ready` is what counts.
  redis.connect().catch(() => {})
  try {
    await ready
    started = true
    return redis
  } catch {
    redis.disconnect()
    throw new Error(`Redis at ${hostOf(url)}: cannot be reached: ${trouble?.message || 'no answer'}`)
  }
}

/** Let what is under way finish, but do not wait for a server that no longer answers. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  try {
    await redis.quit()
  } catch {
    redis.disconnect()
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'REDIS_URL'
}
