import { isIPv4 } from 'node:net'
import fastifyRateLimit, { normalizeIP } from '@fastify/rate-limit'
import type {
  FastifyInstance,
  FastifyRequest,
  onRequestAsyncHookHandler,
  onResponseAsyncHookHandler,
  preHandlerAsyncHookHandler,
} from 'fastify'
import fp from 'fastify-plugin'
import { ERRORS, PawlError } from '../src/errors.ts'
import { addressIn } from '../src/http/client-address.ts'

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

/** Length of the IPv6 prefix that a single client has to itself. */
const CLIENT_BITS = 64
/** Length of the IPv6 prefix that a provider gives to a site, which makes many of the above. */
const SITE_BITS = 48
/** A site has so many times the limit of a client, because it may have many users. */
const SITE_FACTOR = 10

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
 * account. An IPv6 client is its /64. All clients of one /48 have ten times the limit together.
 *
 * The counts are in this process on purpose: a limit must not cost a refresh a second round trip,
 * nor fail together with Redis. Behind a load balancer a client therefore has the limit once per
 * process.
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
      keyGenerator: (request) => networkOf(request, CLIENT_BITS),
      errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    })
    limitSites(app)
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

/** Adds the limits of IPv6 sites to the routes that state a limit for a client. */
function limitSites(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { max, timeWindow } = route.config?.rateLimit || {}
    if (typeof max !== 'number' || timeWindow === undefined) return
    const count = app.createRateLimit({
      max: max * SITE_FACTOR,
      timeWindow,
      keyGenerator: (request) => networkOf(request, SITE_BITS),
    })
    // It runs after the limit of the client, so a client that is refused does not count here.
    const hook: onRequestAsyncHookHandler = async (request) => {
      if (isIPv4(addressIn(request.ip))) return
      const limit = await count(request)
      if (!limit.isAllowed && limit.isExceeded) throw tooMany(limit.ttl)
    }
    route.onRequest = [route.onRequest ?? [], hook].flat()
  })
}

function networkOf({ ip }: FastifyRequest, bits: number): string {
  return normalizeIP(addressIn(ip), bits)
}

/** Empty if the request was refused before its account was known. */
function accountOf({ guessedEmail, body }: FastifyRequest): string {
  const { email } = Object(body) as { email?: string }
  return (guessedEmail ?? email ?? '').toLowerCase()
}

function tooMany(ttl: number): PawlError {
  return new PawlError('RATE_LIMITED', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) })
}
