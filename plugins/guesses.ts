import { isIPv4 } from 'node:net'
import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'
import type { GuessStore, Settlement } from '../src/guesses/guess-store.ts'
import { createGuesses, type Guesser } from '../src/guesses/guesses.ts'
import { createKnownDevices } from '../src/guesses/known-devices.ts'
import { createGuessRules, type GuessLimit, type GuessSettings } from '../src/guesses/limits.ts'
import { createMemoryGuessStore } from '../src/guesses/memory-guess-store.ts'
import { CLIENT_BITS, SITE_BITS } from '../src/http/client-address.ts'
import { DEVICE_HEADER, readDeviceCookie, setDeviceCookie } from '../src/http/device-cookie.ts'
import { createInsecureCheck } from '../src/http/insecure-request.ts'
import type { RedisClient } from '../src/redis/client.ts'

declare module 'fastify' {
  interface FastifyInstance {
    guesses: GuessGuard
  }
}

interface GuessGuard {
  /**
   * Runs `check`, which resolves only if the request has the right password of the account, and
   * then remembers the device. The account is an e-mail address, or the id of a user who has none.
   * Rejects with `RATE_LIMITED`, and then does not run it, if there were too many wrong passwords.
   */
  guard<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    account: string,
    check: () => Promise<T>,
  ): Promise<T>
  /** Adds to the response what proves later that this device has logged in to the account. */
  remember(request: FastifyRequest, reply: FastifyReply, account: string): void
  /**
   * Returns whether the device has logged in to the account before, as far as its request proves
   * it. Without limits no proofs are made, and it returns true.
   */
  isKnown(request: FastifyRequest, account: string): boolean
  /** Counts a mail of this purpose, and returns whether it may be sent. Never rejects. */
  allowsMail(purpose: string, address: string): Promise<boolean>
  /** Forgets all wrong passwords of an account, because it has a new one. Never rejects. */
  forget(account: string): Promise<void>
  /** Returns what names the account that a device has logged in to before, if it proves one. */
  knownAccountOf(request: FastifyRequest): string | undefined
}

export interface GuessesOptions extends GuessSettings {
  /** Whether wrong passwords are limited at all. */
  rateLimit: boolean
  /** The public URL of this server. */
  issuer: string
  /** The names of accounts and the proofs of devices are made under keys derived from it. */
  keyEncryptionSecret: string
  /** The counts are in this process if no client is given. */
  redis?: RedisClient | undefined
  /** For tests. */
  clock?: (() => number) | undefined
}

/** A sign-up for a known address gets the last of these, unless the password is the right one. */
const WRONG = ['AUTH_INVALID_CREDENTIALS', 'AUTH_WRONG_PASSWORD', 'AUTH_EMAIL_TAKEN']

/** Decorates the instance with `guesses`, the guard of every route that takes a password. */
export const guesses = fp(
  async (app, options: GuessesOptions) => {
    if (!options.rateLimit) {
      app.decorate('guesses', UNLIMITED)
      return
    }
    const { issuer, keyEncryptionSecret: secrets } = options
    const { now } = app.hotState
    const service = createGuesses({
      store: await createStore(options, now),
      rules: createGuessRules(options),
      secrets,
    })
    const devices = createKnownDevices(secrets, now)
    const isInsecure = createInsecureCheck(issuer)
    const countRefused = app.metrics.counter(
      'pawl_guesses_refused_total',
      'Passwords that were not checked, by the limit: account, client, network, site',
      'limit',
    )

    const cookieOf = (request: FastifyRequest) =>
      readDeviceCookie(request.headers.cookie, isInsecure(request))
    const proofOf = (request: FastifyRequest) =>
      request.headers[DEVICE_HEADER]?.toString() ?? cookieOf(request)

    function guesserOf(request: FastifyRequest, account: string): Guesser {
      if (request.auth) return { kind: 'known', client: `session ${request.auth.sessionId}` }
      const device = devices.find(proofOf(request), account)
      if (device) return { kind: 'known', client: `device ${device.id}` }
      const { ip } = request.device
      const site = isIPv4(ip) ? undefined : normalizeIP(ip, SITE_BITS)
      return { kind: 'stranger', network: normalizeIP(ip, CLIENT_BITS), site }
    }

    function remember(request: FastifyRequest, reply: FastifyReply, account: string): void {
      const proof = devices.add(proofOf(request), account)
      const isByCookie = request.headers['x-token-delivery'] === 'cookie' || cookieOf(request)
      if (isByCookie) reply.header('set-cookie', setDeviceCookie(proof, isInsecure(request)))
      else reply.header(DEVICE_HEADER, proof)
    }

    app.decorate('guesses', {
      async guard(request, reply, account, check) {
        const guess = await service.reserve(account, guesserOf(request, account))
        if (guess.outcome === 'refused') {
          countRefused(guess.limit)
          throw refusalOf(guess)
        }
        try {
          const result = await check()
          await guess.settle('cleared')
          remember(request, reply, account)
          return result
        } catch (error) {
          const settlement = settlementOf(error)
          if (settlement) await guess.settle(settlement)
          throw error
        }
      },
      remember,
      isKnown: (request, account) => guesserOf(request, account).kind === 'known',
      allowsMail: service.allowsMail,
      async forget(account) {
        await service.forget(account).catch((error: PawlError) => {
          app.log.warn({ reason: error.reason }, 'wrong passwords could not be forgotten')
        })
      },
      knownAccountOf: (request) => devices.findAny(proofOf(request))?.account,
    })
  },
  { name: 'pawl-guesses', dependencies: ['pawl-hot-state', 'pawl-metrics'] },
)

const UNLIMITED: GuessGuard = {
  guard: (_request, _reply, _account, check) => check(),
  remember: () => {},
  isKnown: () => true,
  allowsMail: async () => true,
  forget: async () => {},
  knownAccountOf: () => undefined,
}

async function createStore(
  { redis, clock }: GuessesOptions,
  now: () => number,
): Promise<GuessStore> {
  if (!redis) return createMemoryGuessStore(now)
  // Imported here, so that the embedded default does not load the client of Redis.
  const { createRedisGuessStore } = await import('../src/guesses/redis-guess-store.ts')
  return createRedisGuessStore(redis, { clock })
}

/**
 * Returns undefined if the guess stays counted: it was wrong, or nobody knows whether the password
 * was checked before something unexpected happened.
 */
function settlementOf(error: unknown): Settlement | undefined {
  return error instanceof PawlError && !WRONG.includes(error.code) ? 'returned' : undefined
}

function refusalOf({ limit, retryAfter }: { limit: GuessLimit; retryAfter: number }): PawlError {
  const isOfAccount = limit === 'account' || limit === 'client'
  return new PawlError('RATE_LIMITED', {
    retryAfter,
    reason: `too many wrong passwords, by the limit of the ${limit}`,
    detail: isOfAccount
      ? 'There were too many wrong passwords for this account. Wait, log in on a device on which ' +
        'you have logged in before, or reset the password.'
      : 'There were too many wrong passwords from this network. Wait, or log in on a device on ' +
        'which you have logged in before.',
  })
}
