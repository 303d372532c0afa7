import { Redis } from 'ioredis'
import { hostOf } from '../host-of.ts'

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
  // A failed attempt arrives as 'error', and is followed by the next: what counts is 'ready', or the end of the wait.
  redis.connect().catch(() => {})
  started = await isReady(redis)
  if (started) return redis
  redis.disconnect()
  throw new Error(`Redis at ${hostOf(url)}: cannot be reached: ${trouble?.message || 'no answer'}`)
}

function isReady(redis: Redis): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(false), START_LIMIT)
    redis.once('ready', () => {
      clearTimeout(timer)
      done(true)
    })
  })
}

/** Let what is under way finish, but do not wait for a server that no longer answers. */
export async function disconnectRedis(redis: Redis): Promise<void> {
  try {
    await redis.quit()
  } catch {
    redis.disconnect()
  }
}
