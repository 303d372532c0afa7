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
    /** For routes that take a password: limits wrong guesses per account, from all addresses. */
    limitGuesses: { preHandler: preHandlerAsyncHookHandler; onResponse: onResponseAsyncHookHandler }
  }
  interface FastifyRequest {
    /** The account whose password is guessed, if that is not the `email` of the body. */
    guessedEmail: string | undefined
  }
}

/** Wrong guesses per account within the window below. */
const MAX_GUESSES = 30

/** The statuses of a wrong password: at a login, and at a change of the password. */
const WRONG: ReadonlySet<number> = new Set([
  ERRORS.AUTH_INVALID_CREDENTIALS.status,
  ERRORS.AUTH_WRONG_PASSWORD.status,
])

export interface RateLimitOptions {
  /** Whether requests are limited at all. */
  rateLimit: boolean
}

/**
 * Limits requests per address, as routes state in `config.rateLimit`, and wrong guesses per
 * account. The counts are in this process on purpose: a limit must not cost a refresh a second
 * round trip, nor fail together with Redis. Behind a load balancer a client therefore has the limit
 * once per process.
 */
export const rateLimit = fp(
  async (app, { rateLimit: isEnabled }: RateLimitOptions) => {
    app.decorateRequest('guessedEmail', undefined)
    if (!isEnabled) {
      app.decorate('limitGuesses', { preHandler: async () => {}, onResponse: async () => {} })
      return
    }
    await app.register(fastifyRateLimit, {
      global: false,
      cache: 50_000,
      errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    })
    // NIST SP 800-63B-4 demands a limit on failed attempts. An attacker can use up the limit to
    // lock another user out. For that reason the window is short, and a right password never
    // counts.
    const guesses = app.createRateLimit({
      max: MAX_GUESSES,
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

/** Empty if the request was refused before its account was known. */
function accountOf({ guessedEmail, body }: FastifyRequest): string {
  const { email } = Object(body) as { email?: string }
  return (guessedEmail ?? email ?? '').toLowerCase()
}

function tooMany(ttl: number): PawlError {
  return new PawlError('RATE_LIMITED', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) })
}
