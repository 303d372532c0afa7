import fastifyRedis from '@fastify/redis'
import fp from 'fastify-plugin'
import { connectRedis, disconnectRedis } from '../src/redis/connect.ts'

export interface RedisOptions {
  url: string
  /** Decorates `redis[namespace]` instead, where the application has a `redis` of its own. */
  namespace?: string | undefined
}

/** Decorates the instance with `redis`, and closes the client with the instance. */
export const redis = fp(
  async (app, { url, namespace }: RedisOptions) => {
    const onTrouble = (error: Error) =>
      app.log.warn({ reason: error.message }, 'lost the connection to Redis')
    const client = await connectRedis(url, onTrouble)
    // Who opens a client closes it: given a client, @fastify/redis leaves that to us.
    app.addHook('onClose', () => disconnectRedis(client))
    await app.register(fastifyRedis, namespace ? { client, namespace } : { client })
  },
  { name: 'pawl-redis' },
)
