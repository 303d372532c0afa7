import { Cluster, type Redis } from 'ioredis'
import { createClient, type RedisClient } from './client.ts'
import { parseRedisUrl, redisHosts } from './url.ts'

/** Milliseconds to wait at start for a server that is not there yet. */
const START_LIMIT = 5_000

/**
 * A client of one Redis, of the master that Sentinels name, or of a cluster, as `url` says. It fails fast: while Redis is
 * away a command is refused at once instead of queued, and one whose answer was lost is not sent again behind its caller's
 * back. It reconnects by itself, at most a second after Redis is back, and follows a fail-over.
 * Rejects where Redis cannot be reached within about 5 seconds. `onTrouble` hears of connection errors, once per outage.
 */
export async function connectRedis(
  url: string,
  onTrouble: (error: Error) => void,
): Promise<RedisClient> {
  const target = parseRedisUrl(url)
  if (!target) throw new Error('the URL of Redis is none')
  const client = createClient(target)
  const trouble = watch(client, onTrouble)
  // A failed attempt arrives as 'error', and is followed by the next: what counts is 'ready', or the end of the wait.
  client.connect().catch(() => {})
  if (await isReady(client)) {
    trouble.started()
    return client
  }
  client.disconnect()
  throw new Error(
    `Redis at ${redisHosts(target)}: cannot be reached: ${trouble.reason() ?? 'no answer'}`,
  )
}

/** Let what is under way finish, but do not wait for a server that no longer answers. */
export async function disconnectRedis(redis: RedisClient): Promise<void> {
  try {
    await redis.quit()
  } catch {
    redis.disconnect()
  }
}

/** Resolves where Redis answers; of a cluster one master is enough, as it serves its users whatever befell the others. */
export async function pingRedis(redis: RedisClient): Promise<void> {
  if (redis instanceof Cluster) await Promise.any(redis.nodes('master').map((node) => node.ping()))
  else await redis.ping()
}

function watch(client: RedisClient, onTrouble: (error: Error) => void) {
  let current: Error | undefined
  // Why a Sentinel was of no help comes by itself, and says more than that none was.
  let detail: Error | undefined
  let hasStarted = false
  const onError = (error: Error) => {
    const isNew = !current
    current = (error as { lastNodeError?: Error }).lastNodeError ?? detail ?? error
    if (isNew && hasStarted) onTrouble(current)
  }
  const onReady = () => {
    current = undefined
    detail = undefined
  }
  client.on('error', onError)
  client.on('node error', onError)
  client.on('sentinelError', (error: Error) => {
    detail = error
  })
  client.on('ready', onReady)
  client.on('+node', (node: Redis) => node.once('ready', onReady))
  return {
    reason: () => current?.message || undefined,
    started: () => {
      hasStarted = true
    },
  }
}

async function isReady(client: RedisClient): Promise<boolean> {
  const isThere = await new Promise<boolean>((done) => {
    const timer = setTimeout(() => done(false), START_LIMIT)
    client.once('ready', () => {
      clearTimeout(timer)
      done(true)
    })
  })
  if (isThere && client instanceof Cluster) await Promise.all(client.nodes('master').map(isSettled))
  return isThere
}

/** A cluster is ready by the word of one node: the connections to the others may be under way. */
function isSettled(node: Redis): Promise<void> {
  return new Promise((done) => {
    if (['ready', 'end'].includes(node.status)) return done()
    node.once('ready', done)
    node.once('end', done)
  })
}
