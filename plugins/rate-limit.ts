import fastifyRateLimit from '@fastify/rate-limit'
import type {
  FastifyRequest,
  onResponseAsyncHookHandler,
  preHandlerAsyncHookHandler,
} from 'fastify'
import fp from 'fastify-plugin'
import { ERRORS, PawlError } from '../src/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** For routes that take credentials: bounds the wrong guesses at one account, from wherever they come. */
    limitGuesses: { preHandler: preHandlerAsyncHookHandler; onResponse: onResponseAsyncHookHandler }
  }
  interface FastifyRequest {
    /** Whose password is guessed at, where that is not the `email` of the body. */
    guessedEmail: string | undefined
  }
}

const WRONG_GUESSES = 30
/** At a login, and at a change of the password. */
const WRONG: ReadonlySet<number> = new Set([
  ERRORS.AUTH_INVALID_CREDENTIALS.status,
  ERRORS.AUTH_WRONG_PASSWORD.status,
])

export interface RateLimitOptions {
  rateLimit: boolean
}

/**
 * Counts in this process, on purpose: a limit must neither cost a refresh its second round trip nor fall with Redis.
 * Behind a load balancer a client therefore has the limit once per process. Routes set theirs in `config.rateLimit`.
 */
export const rateLimit = fp(
  async (app, options: RateLimitOptions) => {
    app.decorateRequest('guessedEmail', undefined)
    if (!options.rateLimit) {
      app.decorate('limitGuesses', { preHandler: async () => {}, onResponse: async () => {} })
      return
    }
    await app.register(fastifyRateLimit, {
      global: false,
      cache: 50_000,
      errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    })
    // NIST SP 800-63B-4 wants a bound on failures. Whoever fails on purpose can use it up for another; the window is
    // short for that reason, and a right password never counts.
    const guesses = app.createRateLimit({
      max: WRONG_GUESSES,
      timeWindow: '15 minutes',
      keyGenerator: accountOf,
    })
    app.decorate('limitGuesses', {
      preHandler: async (request) => {
        const limit = await guesses(request, { increment: false })
        if (!limit.isAllowed && limit.remaining === 0) throw tooMany(limit.ttl)
      },
      onResponse: async (request, reply) => {
        if (WRONG.has(reply.statusCode) && accountOf(request) !== '') await guesses(request)
      },
    })
  },
  { name: 'pawl-rate-limit' },
)

/** Empty where a request was refused before that was known. */
function accountOf({ guessedEmail, body }: FastifyRequest): string {
  const { email } = Object(body) as { email?: string }
  return (guessedEmail ?? email ?? '').toLowerCase()
}

function tooMany(ttl: number): PawlError {
  return new PawlError('RATE_LIMITED', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) })
}
