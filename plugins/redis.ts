import fastifyRedis from '@fastify/redis'
import fp from 'fastify-plugin'
import { connectRedis, disconnectRedis } from '../src/redis/connect.ts'

export interface RedisOptions {
  redisUrl: string
  /** Decorates `redis[namespace]` instead, for an application that has a `redis` of its own. */
  namespace?: string | undefined
}

/** Decorates the instance with `redis`, and closes the client with the instance. */
export const redis = fp(
  async (app, { redisUrl, namespace }: RedisOptions) => {
    const onError = (error: Error) =>
      app.log.warn({ reason: error.message }, 'lost the connection to Redis')
    const client = await connectRedis(redisUrl, onError)
    // Not `closeClient` of @fastify/redis: it would reject if Redis is unavailable at that time.
    app.addHook('onClose', () => disconnectRedis(client))
    await app.register(fastifyRedis, namespace ? { client, namespace } : { client })
  },
  { name: 'pawl-redis' },
)
