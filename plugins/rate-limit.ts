import fastifyRateLimit from '@fastify/rate-limit'
import type {
  FastifyRequest,
  onResponseAsyncHookHandler,
  preHandlerAsyncHookHandler,
} from 'fastify'
import fp from 'fastify-plugin'
import { ERRORS, PawlError } from '../src/errors.ts'

interface GuessLimit {
  preHandler: preHandlerAsyncHookHandler
  onResponse: onResponseAsyncHookHandler
}

declare module 'fastify' {
  interface FastifyInstance {
    /** For routes that take a password: limits wrong guesses per account, from all addresses. */
    limitGuesses: GuessLimit
    /** The same for sign-up, where a known address with a wrong password is a guess. */
    limitSignupGuesses: GuessLimit
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
/** A sign-up for a known address gets this status, unless the password is the right one. */
const WRONG_AT_SIGNUP: ReadonlySet<number> = new Set([ERRORS.AUTH_EMAIL_TAKEN.status])

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
      const nothing = { preHandler: async () => {}, onResponse: async () => {} }
      app.decorate('limitGuesses', nothing)
      app.decorate('limitSignupGuesses', nothing)
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
    const limitBy = (wrong: ReadonlySet<number>): GuessLimit => ({
      preHandler: async (request) => {
        const limit = await guesses(request, { increment: false })
        if (!limit.isAllowed && limit.remaining === 0) throw tooMany(limit.ttl)
      },
      onResponse: async (request, reply) => {
        if (wrong.has(reply.statusCode) && accountOf(request) !== '') await guesses(request)
      },
    })
    app.decorate('limitGuesses', limitBy(WRONG))
    app.decorate('limitSignupGuesses', limitBy(WRONG_AT_SIGNUP))
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
