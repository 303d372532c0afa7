import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'
import { isLoopbackAddress, isLoopbackName, isTrusted } from '../src/http/origins.ts'
import type { DeliveredTokens } from '../src/schemas/token-pair.ts'
import type { TokenPair } from '../src/tokens/token-pair.ts'

declare module 'fastify' {
  interface FastifyInstance {
    refreshCookie: {
      /** The refresh token of the request's cookie, if it has one. Throws where another site may have sent it along. */
      read(request: FastifyRequest): string | undefined
      /**
       * The answer that hands the tokens over. The refresh token goes into the cookie, where the client asked for it or
       * `byCookie` says that the spent one came so, and is absent from the body then.
       */
      deliver(
        request: FastifyRequest,
        reply: FastifyReply,
        pair: TokenPair,
        byCookie?: boolean,
      ): DeliveredTokens
      /** For an answer to the user's own wish alone: the answer to a race that was lost may come after a newer cookie. */
      clear(request: FastifyRequest, reply: FastifyReply): void
    }
  }
}

export interface RefreshCookieOptions {
  /** The public URL of this server. */
  issuer: string
  /** Origins that may use the cookie beside the server's own. */
  corsOrigins: readonly string[]
}

const NAME = 'pawl-refresh'

/**
 * Decorates the instance with `refreshCookie`, and refuses `X-Token-Delivery: cookie` from other origins. The cookie is
 * written by hand: its value needs no encoding, and an application's cookie plugin has settings of its own.
 */
export const refreshCookie = fp(
  async (app, { issuer, corsOrigins }: RefreshCookieOptions) => {
    const own = new URL(issuer)
    const isDevelopment = own.protocol === 'http:' && isLoopbackName(own.hostname)
    const path = `${app.prefix}/auth`

    /**
     * Over plain http browsers need not keep a secure cookie. One that is not is given on this machine alone: by the
     * configuration, by the connection, and only then by what the client says.
     */
    function isPlain({ raw, host }: FastifyRequest): boolean {
      if (!isDevelopment || 'encrypted' in raw.socket) return false
      return (
        isLoopbackAddress(raw.socket.remoteAddress) && isLoopbackName(host.replace(/:\d+$/, ''))
      )
    }

    /** A path rules `__Host-` out (RFC 6265bis 4.1.3.2). */
    const nameFor = (request: FastifyRequest) => (isPlain(request) ? NAME : `__Secure-${NAME}`)

    function write(
      request: FastifyRequest,
      reply: FastifyReply,
      value: string,
      maxAge: number,
    ): void {
      const secure = isPlain(request) ? '' : '; Secure'
      const attributes = `Max-Age=${maxAge}; Path=${path}; HttpOnly${secure}; SameSite=Strict`
      reply.header('set-cookie', `${nameFor(request)}=${value}; ${attributes}`)
    }

    /** Why the request must not use the cookie, if there is a reason. */
    function refusalOf(request: FastifyRequest): PawlError | undefined {
      const { origin, 'sec-fetch-site': site } = request.headers
      const hasCustomHeader = request.headers['x-token-delivery'] !== undefined
      const provenance = { origin, site: site?.toString(), hasCustomHeader }
      const here = isPlain(request) ? `http://${request.host}` : own.origin
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

/** The first of that name is the one of the longest path (RFC 6265 5.4). */
function find(header: string | undefined, name: string): string | undefined {
  const pairs = header?.split(';').map((pair) => pair.trim()) ?? []
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}
