import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'
import { isLoopbackAddress, isLoopbackName, isTrusted } from '../src/http/origins.ts'
import type { DeliveredTokens } from '../src/schemas/token-pair.ts'
import type { TokenPair } from '../src/tokens/token-pair.ts'

declare module 'fastify' {
  interface FastifyInstance {
    refreshCookie: {
      /**
       * Returns the refresh token in the request's cookie, if there is one. Throws
       * `AUTH_ORIGIN_NOT_ALLOWED` if another site may have caused the request.
       */
      read(request: FastifyRequest): string | undefined
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

const NAME = 'pawl-refresh'

/**
 * Decorates the instance with `refreshCookie`, and refuses `X-Token-Delivery: cookie` from foreign
 * origins. It does not use the cookie plugin of an embedding application, whose settings are meant
 * for the application's own cookies.
 */
export const refreshCookie = fp(
  async (app, { issuer, corsOrigins }: RefreshCookieOptions) => {
    const own = new URL(issuer)
    const isDevelopment = own.protocol === 'http:' && isLoopbackName(own.hostname)
    const path = `${app.prefix}/auth`

    /**
     * Browsers may drop a secure cookie over plain http, so development needs one that is not
     * secure. It never leaves this machine: the configuration must say so, then the connection, and
     * only then does the Host header of the client count.
     */
    function isInsecure({ raw, host }: FastifyRequest): boolean {
      if (!isDevelopment || 'encrypted' in raw.socket) return false
      return (
        isLoopbackAddress(raw.socket.remoteAddress) && isLoopbackName(host.replace(/:\d+$/, ''))
      )
    }

    /** Not `__Host-`, because that prefix allows no path but `/` (RFC 6265bis 4.1.3.2). */
    const nameFor = (request: FastifyRequest) => (isInsecure(request) ? NAME : `__Secure-${NAME}`)

    function write(
      request: FastifyRequest,
      reply: FastifyReply,
      value: string,
      maxAge: number,
    ): void {
      const cookie = stringifySetCookie({
        name: nameFor(request),
        value,
        maxAge,
        path,
        httpOnly: true,
        secure: !isInsecure(request),
        sameSite: 'strict',
      })
      reply.header('set-cookie', cookie)
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

    app.decorate('refreshCookie', {
      read(request) {
        const token = find(request.headers.cookie, nameFor(request))
        const refusal = token && refusalOf(request)
        if (refusal) throw refusal
        return token
      },
      deliver(request, reply, pair, byCookie = false) {
        if (!byCookie && !asksForCookie(request)) return pair
        const { refreshToken, ...rest } = pair
        write(request, reply, refreshToken, pair.refreshExpiresIn)
        return rest
      },
      clear: (request, reply) => write(request, reply, '', 0),
    })

    app.addHook('onRequest', (request, _reply, done) => {
      done(asksForCookie(request) ? refusalOf(request) : undefined)
    })
  },
  { name: 'pawl-refresh-cookie' },
)

function asksForCookie({ headers }: FastifyRequest): boolean {
  return headers['x-token-delivery'] === 'cookie'
}

/**
 * Returns the value of a cookie. If the name occurs more than once, the first one counts: it has
 * the longest path (RFC 6265 5.4). A token needs no decoding.
 */
function find(header: string | undefined, name: string): string | undefined {
  return header ? parseCookie(header, { decode: (value) => value })[name] : undefined
}
