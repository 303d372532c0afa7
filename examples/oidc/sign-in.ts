import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import { PawlError } from 'pawl'
import type { Attempt, OpenIdClient, SignedInUser } from './openid-client.ts'

export interface SignInOptions {
  client: OpenIdClient
  callback: URL
}

/** Seconds for the user to sign in at the provider. */
const ATTEMPT_LIFETIME = 600
/** Seconds since the login that the payout allows. */
const RECENT = 300

/** What the page shows, as `/?sign-in=...`. */
type Result = 'done' | 'refused' | 'failed' | 'email-taken'

/** Registers the route that sends the browser to the provider, and the one that it returns to. */
export const signIn: FastifyPluginAsync<SignInOptions> = async (app, { client, callback }) => {
  const isSecure = callback.protocol === 'https:'
  // `__Host-`: no other host, not even a subdomain, can set a cookie of this name. So an attempt is
  // always one that this browser began here, and nobody can sign a user in as somebody else.
  const name = isSecure ? '__Host-sign-in' : 'sign-in'
  // Lax, because the provider's redirect comes from another site.
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure: isSecure } as const

  /** Returns to the page. 303, and no cache may keep it (RFC 9700 4.11, RFC 9111 5.2.2.5). */
  const showPage = (reply: FastifyReply, result: Result) =>
    reply.header('cache-control', 'no-store').redirect(`/?sign-in=${result}`, 303)

  app.get<{ Querystring: { recent?: string } }>('/sign-in', async (request, reply) => {
    const isRecent = request.query.recent !== undefined
    try {
      const { url, attempt } = await client.begin(isRecent ? RECENT : undefined)
      const value = Buffer.from(JSON.stringify(attempt)).toString('base64url')
      reply.setCookie(name, value, { ...attributes, maxAge: ATTEMPT_LIFETIME })
      return reply.header('cache-control', 'no-store').redirect(url.href, 303)
    } catch (error) {
      request.log.error({ err: error }, 'the provider is unavailable')
      return showPage(reply, 'failed')
    }
  })

  app.get(callback.pathname, async (request, reply) => {
    const attempt = readAttempt(request.cookies[name])
    reply.clearCookie(name, attributes)
    if (!attempt) {
      request.log.info('sign-in without an attempt of this browser')
      return showPage(reply, 'failed')
    }
    const outcome = await client.finish(new URL(request.url, callback).search, attempt)
    if (outcome.kind !== 'signed-in') {
      request.log.warn({ err: outcome.error }, `sign-in ${outcome.kind}`)
      return showPage(reply, outcome.kind)
    }
    const { user, amr, authTime }: SignedInUser = outcome
    try {
      await app.pawl.sessions.start(request, reply, { user, amr, authTime, delivery: 'cookie' })
      return showPage(reply, 'done')
    } catch (error) {
      // The user is looking at a page, so even an error of Pawl becomes one.
      request.log.warn({ err: error }, 'the session could not be started')
      const isTaken = error instanceof PawlError && error.code === 'AUTH_EMAIL_TAKEN'
      return showPage(reply, isTaken ? 'email-taken' : 'failed')
    }
  })
}

/** Returns undefined if the cookie is missing or was not made here. */
function readAttempt(cookie = ''): Attempt | undefined {
  try {
    const attempt = JSON.parse(Buffer.from(cookie, 'base64url').toString())
    const { state, nonce, verifier } = attempt
    return [state, nonce, verifier].every((one) => typeof one === 'string') ? attempt : undefined
  } catch {
    return undefined
  }
}
