import fastifyRedis from '@fastify/redis'
import fp from 'fastify-plugin'
import type { HostRedis } from '../src/embedding/host-clients.ts'
import { connectRedis, disconnectRedis } from '../src/redis/connect.ts'

export interface RedisOptions {
  /** A URL, or a client of the application, to whose Redis a client of Pawl's own connects. */
  redis: string | HostRedis
  /** Decorates `redis[namespace]` instead, for an application that has a `redis` of its own. */
  namespace?: string | undefined
}

/** Decorates the instance with `redis`, and closes the client with the instance. */
export const redis = fp(
  async (app, { redis: to, namespace }: RedisOptions) => {
    const onError = (error: Error) =>
      app.log.warn({ reason: error.message }, 'lost the connection to Redis')
    const client = await connectRedis(to, onError)
    // Not `closeClient` of @fastify/redis: it would reject if Redis is unavailable at that time.
    app.addHook('onClose', () => disconnectRedis(client))
    await app.register(fastifyRedis, namespace ? { client, namespace } : { client })
  },
  { name: 'pawl-redis' },
)
