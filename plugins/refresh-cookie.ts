import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { TokenPair } from '../src/embedding/views.ts'
import { PawlError } from '../src/errors.ts'
import { createInsecureCheck } from '../src/http/insecure-request.ts'
import { isTrusted } from '../src/http/origins.ts'
import {
  type CookieContent,
  type CookieScope,
  DELETED,
  deleteOldCookie,
  readCookies,
  setCookie,
} from '../src/http/refresh-cookies.ts'
import { createTokenChoice } from '../src/http/token-choice.ts'
import type { DeliveredTokens } from '../src/schemas/token-pair.ts'

declare module 'fastify' {
  interface FastifyInstance {
    refreshCookie: {
      /**
       * Returns the refresh tokens in the request's cookies in the order in which they should be
       * presented until one is accepted. Rejects with `AUTH_ORIGIN_NOT_ALLOWED` if another site may
       * have caused the request.
       */
      read(request: FastifyRequest): Promise<string[]>
      /** Returns whether the request carries a cookie of this session that may be used. */
      holds(request: FastifyRequest, sessionId: string): Promise<boolean>
      /**
       * Ends the sessions of all refresh cookies in the request. Returns `invalid` if no cookie has
       * a token of this service. Rejects like `read`.
       */
      endSessions(request: FastifyRequest): Promise<'ended' | 'missing' | 'invalid'>
      /**
       * Returns whether the refresh token goes into the cookie: by `delivery`, or else by the
       * header of the request. Throws `AUTH_ORIGIN_NOT_ALLOWED` if it is the header that says so
       * and another site may have caused the request.
       */
      isWanted(request: FastifyRequest, delivery?: 'body' | 'cookie'): boolean
      /**
       * Ends the sessions that a login replaces: those of the cookies, if the response is going to
       * overwrite the cookie.
       */
      endReplaced(request: FastifyRequest, delivery?: 'body' | 'cookie'): Promise<void>
      /**
       * Returns the body of a response that delivers tokens. The refresh token goes into the
       * cookie, and not into the body, if the client asks for that or if `byCookie` says that the
       * spent token came in the cookie.
       */
      deliver(
        request: FastifyRequest,
        reply: FastifyReply,
        pair: TokenPair,
        byCookie?: boolean,
      ): DeliveredTokens
      /**
       * Deletes the cookie. Only for a response to the user's own wish: the response to a refresh
       * that lost a race may arrive after a newer cookie was set.
       */
      clear(request: FastifyRequest, reply: FastifyReply): void
    }
  }
}

export interface RefreshCookieOptions {
  /** The public URL of this server. */
  issuer: string
  /** Origins that may use the cookie, in addition to the server's own. */
  corsOrigins: readonly string[]
}

/**
 * Decorates the instance with `refreshCookie`, and refuses `X-Token-Delivery: cookie` from foreign
 * origins. It does not use the cookie plugin of an embedding application, whose settings are meant
 * for the application's own cookies.
 */
export const refreshCookie = fp(
  async (app, { issuer, corsOrigins }: RefreshCookieOptions) => {
    const { refreshTokens, sessions } = app
    const own = new URL(issuer)
    const isInsecure = createInsecureCheck(issuer)
    const choice = createTokenChoice({
      read: refreshTokens.readExpired,
      find: app.tokens.findSession,
      clock: app.hotState.now,
    })

    const scopeOf = (request: FastifyRequest): CookieScope => ({
      isInsecure: isInsecure(request),
      oldPath: `${app.prefix}/auth`,
    })

    const cookiesOf = (request: FastifyRequest) =>
      readCookies(request.headers.cookie, scopeOf(request))

    function write(request: FastifyRequest, reply: FastifyReply, content: CookieContent): void {
      const scope = scopeOf(request)
      reply.header('set-cookie', setCookie(content, scope))
      if (cookiesOf(request).hasOld) reply.header('set-cookie', deleteOldCookie(scope))
    }

    /** Returns the refusal if the request must not use the cookie. */
    function refusalOf(request: FastifyRequest): PawlError | undefined {
      const { origin, 'sec-fetch-site': site } = request.headers
      const hasCustomHeader = request.headers['x-token-delivery'] !== undefined
      const provenance = { origin, site: site?.toString(), hasCustomHeader }
      const here = isInsecure(request) ? `http://${request.host}` : own.origin
      const isAllowed = isTrusted(provenance, [here, ...corsOrigins])
      return isAllowed ? undefined : new PawlError('AUTH_ORIGIN_NOT_ALLOWED')
    }

    function tokensOf(request: FastifyRequest): string[] {
      const { tokens } = cookiesOf(request)
      const refusal = tokens.length > 0 && refusalOf(request)
      if (refusal) throw refusal
      return tokens
    }

    async function endSessionsOf(tokens: readonly string[]) {
      let outcome: 'ended' | 'missing' | 'invalid' = tokens.length > 0 ? 'invalid' : 'missing'
      for (const token of tokens) if (await sessions.endByToken(token, 'refresh')) outcome = 'ended'
      return outcome
    }

    function isWanted(request: FastifyRequest, delivery?: 'body' | 'cookie'): boolean {
      if (delivery) return delivery === 'cookie'
      if (!asksForCookie(request)) return false
      const refusal = refusalOf(request)
      if (refusal) throw refusal
      return true
    }

    app.decorate('refreshCookie', {
      read: async (request) => choice.order(tokensOf(request)),
      async holds(request, sessionId) {
        if (refusalOf(request)) return false
        const claims = await Promise.all(cookiesOf(request).tokens.map(refreshTokens.readExpired))
        return claims.some((one) => one?.sid === sessionId)
      },
      endSessions: async (request) => endSessionsOf(tokensOf(request)),
      isWanted,
      async endReplaced(request, delivery) {
        if (!isWanted(request, delivery)) return
        const replaced = delivery === 'cookie' ? cookiesOf(request).tokens : tokensOf(request)
        await endSessionsOf(replaced)
      },
      deliver(request, reply, pair, byCookie = false) {
        if (!byCookie && !asksForCookie(request)) return pair
        const { refreshToken, ...rest } = pair
        write(request, reply, { value: refreshToken, maxAge: pair.refreshExpiresIn })
        return rest
      },
      clear: (request, reply) => write(request, reply, DELETED),
    })

    app.addHook('onRequest', (request, _reply, done) => {
      done(asksForCookie(request) ? refusalOf(request) : undefined)
    })
  },
  { name: 'pawl-refresh-cookie', dependencies: ['pawl-tokens', 'pawl-sessions'] },
)

function asksForCookie({ headers }: FastifyRequest): boolean {
  return headers['x-token-delivery'] === 'cookie'
}
