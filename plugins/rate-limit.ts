import fastifyRateLimit from '@fastify/rate-limit'
import type { FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** preHandler for routes that take credentials: bounds the guesses at one account, from wherever they come. */
    limitGuesses: preHandlerAsyncHookHandler
  }
}

export interface RateLimitOptions {
  enabled: boolean
}

/**
 * Counts in this process, on purpose: a limit must neither cost a refresh its second round trip nor fall with Redis.
 * Behind a load balancer a client therefore has the limit once per process. Routes set theirs in `config.rateLimit`.
 */
export const rateLimit = fp(
  async (app, { enabled }: RateLimitOptions) => {
    if (!enabled) {
      app.decorate('limitGuesses', async () => {})
      return
    }
    await app.register(fastifyRateLimit, {
      global: false,
      cache: 50_000,
      errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    })
    const guesses = app.createRateLimit({ max: 30, timeWindow: '15 minutes', keyGenerator: accountOf })
    app.decorate('limitGuesses', async (request: FastifyRequest) => {
      const limit = await guesses(request)
      if (!limit.isAllowed && limit.isExceeded) throw tooMany(limit.ttl)
    })
  },
  { name: 'pawl-rate-limit' },
)

function accountOf(request: FastifyRequest): string {
  return (request.body as { email: string }).email.toLowerCase()
}

function tooMany(ttl: number): PawlError {
  return new PawlError('RATE_LIMITED', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) })
}
