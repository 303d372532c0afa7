import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PawlError } from 'pawl'
import type { User } from './users.ts'

/** What the browser was asked to do, and for whom. */
export type Ceremony =
  | { purpose: 'signup'; user: User }
  | { purpose: 'addition'; userId: string }
  | { purpose: 'login' }

type Pending<C = Ceremony> = C & { challenge: string; expiresAt: number }

/** Milliseconds. */
const LIFETIME = 5 * 60_000
/** Anybody may ask for a challenge, so the oldest ones are dropped beyond this number. */
const MAX_PENDING = 10_000

/**
 * Creates the store of the challenges. Each belongs to the browser that asked for it, which holds
 * the key in a cookie, and is used once. With several servers, store them in Redis with an expiry,
 * and take them by GETDEL.
 */
export function createChallenges(isSecure: boolean, clock = Date.now) {
  const pending = new Map<string, Pending>()
  // With this prefix, a browser accepts the cookie from this host alone, not from a sibling.
  const name = isSecure ? '__Host-passkey' : 'passkey'
  const options = { path: '/', httpOnly: true, secure: isSecure, sameSite: 'strict' } as const

  return {
    begin(reply: FastifyReply, challenge: string, ceremony: Ceremony): void {
      const key = randomBytes(32).toString('base64url')
      const [oldest] = pending.keys()
      if (oldest !== undefined && pending.size >= MAX_PENDING) pending.delete(oldest)
      pending.set(key, { ...ceremony, challenge, expiresAt: clock() + LIFETIME })
      reply.setCookie(name, key, { ...options, maxAge: LIFETIME / 1000 })
    },

    /** Returns what this browser was asked, and forgets it. Throws if it was not asked that. */
    take<P extends Ceremony['purpose']>(
      request: FastifyRequest,
      reply: FastifyReply,
      purpose: P,
    ): Pending<Extract<Ceremony, { purpose: P }>> {
      const key = request.cookies[name] ?? ''
      const found = pending.get(key)
      pending.delete(key)
      reply.clearCookie(name, options)
      if (found?.purpose !== purpose || found.expiresAt < clock())
        throw new PawlError('AUTH_INVALID_CREDENTIALS', {
          detail: 'There is no challenge for this any more. Please try again.',
        })
      return found as Pending<Extract<Ceremony, { purpose: P }>>
    },
  }
}
