import { isIPv4 } from 'node:net'
import fastifyRateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'
import { addressIn, CLIENT_BITS, SITE_BITS } from '../src/http/client-address.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether a session, or a device that has logged in before, is limited by itself and not
     * together with the others of its network.
     */
    limitsKnownClients?: boolean
  }
}

/** A site has so many times the limit of a client, because it may have many users. */
const SITE_FACTOR = 10

export interface RateLimitOptions {
  /** Whether requests are limited at all. */
  rateLimit: boolean
}

/**
 * Limits requests per address, as routes state in `config.rateLimit`. An IPv6 client is its /64.
 * All clients of one /48 have ten times the limit together.
 *
 * The counts are in this process on purpose: a limit must not cost a refresh a second round trip,
 * nor fail together with Redis. Behind a load balancer a client therefore has the limit once per
 * process. Wrong passwords are counted elsewhere, for all processes.
 */
export const rateLimit = fp(
  async (app, { rateLimit: isEnabled }: RateLimitOptions) => {
    if (!isEnabled) return
    const { knownAccountOf } = app.guesses

    /** Returns undefined if the request counts for its network. */
    function knownClientOf(request: FastifyRequest): string | undefined {
      if (!request.routeOptions.config.limitsKnownClients) return undefined
      if (request.auth) return `session ${request.auth.sessionId}`
      const account = knownAccountOf(request)
      return account && `account ${account}`
    }

    await app.register(fastifyRateLimit, {
      global: false,
      cache: 50_000,
      keyGenerator: (request) => knownClientOf(request) ?? networkOf(request, CLIENT_BITS),
      errorResponseBuilder: (_request, { ttl }) => tooMany(ttl),
    })
    limitSites(app, (request) => knownClientOf(request) !== undefined)
  },
  { name: 'pawl-rate-limit', dependencies: ['pawl-guesses'] },
)

/** Adds the limits of IPv6 sites to the routes that state a limit for a client. */
function limitSites(app: FastifyInstance, isKnown: (request: FastifyRequest) => boolean): void {
  app.addHook('onRoute', (route) => {
    const { max, timeWindow, hook: stage = 'onRequest' } = route.config?.rateLimit || {}
    if (typeof max !== 'number' || timeWindow === undefined) return
    const count = app.createRateLimit({
      max: max * SITE_FACTOR,
      timeWindow,
      keyGenerator: (request) => networkOf(request, SITE_BITS),
    })
    // It runs after the limit of the client, so a client that is refused does not count here.
    const limit: preHandlerAsyncHookHandler = async (request) => {
      if (isIPv4(addressIn(request.ip)) || isKnown(request)) return
      const { isAllowed, ...rest } = await count(request)
      if (!isAllowed && 'isExceeded' in rest && rest.isExceeded) throw tooMany(rest.ttl)
    }
    if (stage === 'preHandler') route.preHandler = [route.preHandler ?? [], limit].flat()
    else route.onRequest = [route.onRequest ?? [], limit].flat()
  })
}

function networkOf({ ip }: FastifyRequest, bits: number): string {
  return normalizeIP(addressIn(ip), bits)
}

function tooMany(ttl: number): PawlError {
  return new PawlError('RATE_LIMITED', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) })
}
