import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { parseDuration } from '../src/config/duration.ts'
import { permissionsOf, type RolePermissions } from '../src/config/permissions.ts'
import { PawlError } from '../src/errors.ts'
import { challengeOf } from '../src/http/challenges.ts'
import type { Auth } from '../src/tokens/token-inspector.ts'

export interface AuthorizeOptions {
  /** The user needs one of these. Without this option, any user will do. */
  roles?: readonly string[]
  /** The user needs all of these. The configuration says which roles allow them. */
  permissions?: readonly string[]
  /**
   * Ask the stores as well, and take the roles from Postgres. For routes that must not wait until
   * this node has received a revocation, which takes milliseconds, and at most
   * REVOCATION_MAX_STALENESS.
   */
  fresh?: boolean
  /**
   * The time since the user was authenticated, such as `5m`, or in milliseconds. After it the
   * response is a 401 with the challenge of RFC 9470.
   */
  maxAge?: string | number
  /**
   * The user needs one of these methods of authentication (RFC 8176), such as `otp`. Otherwise the
   * response is the same 401.
   */
  amr?: readonly string[]
}

export interface AuthenticateOptions {
  /** The permissions of each role. */
  rolePermissions: RolePermissions
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate` and `authorize`; null on a route that has neither. */
    auth: Auth | null
    /** Returns `auth`. Throws `AUTH_MISSING_TOKEN` if it is null. */
    requireAuth(): Auth
  }
  interface FastifyInstance {
    /** preHandler: 401 without a valid access token of a live session. */
    authenticate: preHandlerAsyncHookHandler
    /**
     * preHandler: `authenticate`, then 403 if the user lacks the role or a permission, then 401
     * `AUTH_REAUTHENTICATION_REQUIRED` if the user has to authenticate again. Throws a `TypeError`
     * if an option is not valid.
     */
    authorize(options: AuthorizeOptions): preHandlerAsyncHookHandler
  }
}

/** Decorates the instance with `authenticate` and `authorize`, and requests with `auth`. */
export const authenticate = fp(
  async (app, { rolePermissions }: AuthenticateOptions) => {
    const { tokens } = app
    const clock = app.hotState.now

    async function check(
      request: FastifyRequest,
      reply: FastifyReply,
      fresh: boolean,
    ): Promise<Auth> {
      try {
        const token = app.bearerToken(request)
        if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
        const auth = await tokens.authenticate(token, fresh)
        request.auth = auth
        return auth
      } catch (error) {
        throw withChallenge(reply, error)
      }
    }

    function refuseRights(
      own: readonly string[],
      roles: readonly string[],
      permissions: readonly string[],
    ): PawlError | undefined {
      if (roles.length > 0 && !own.some((role) => roles.includes(role))) return forbidden('role')
      if (permissions.length === 0) return undefined
      // Decided by the configuration of this node, even if the token carries permissions.
      const allowed = permissionsOf(rolePermissions, own)
      const hasAll = permissions.every((permission) => allowed.includes(permission))
      return hasAll ? undefined : forbidden('permission')
    }

    function refuseLogin(
      auth: Auth,
      maxAge: number | undefined,
      amr: readonly string[],
    ): PawlError | undefined {
      if (maxAge !== undefined && clock() / 1000 - auth.authTime > maxAge)
        return new PawlError('AUTH_REAUTHENTICATION_REQUIRED', { maxAge })
      const hasOne = amr.length === 0 || auth.amr.some((method) => amr.includes(method))
      return hasOne ? undefined : new PawlError('AUTH_REAUTHENTICATION_REQUIRED')
    }

    app.decorateRequest('auth', null)
    app.decorateRequest('requireAuth', function (this: FastifyRequest) {
      if (!this.auth) throw new PawlError('AUTH_MISSING_TOKEN')
      return this.auth
    })
    app.decorate('authenticate', async (request, reply) => {
      await check(request, reply, false)
    })
    app.decorate(
      'authorize',
      ({
        roles = [],
        permissions = [],
        fresh = false,
        maxAge,
        amr = [],
      }: AuthorizeOptions): preHandlerAsyncHookHandler => {
        const maxSeconds = maxAge === undefined ? undefined : secondsOf(maxAge)
        return async (request, reply) => {
          const auth = await check(request, reply, fresh)
          const refusal =
            refuseRights(auth.roles, roles, permissions) ?? refuseLogin(auth, maxSeconds, amr)
          if (refusal) throw withChallenge(reply, refusal)
        }
      },
    )
  },
  {
    name: 'pawl-authenticate',
    dependencies: ['pawl-bearer-token', 'pawl-hot-state', 'pawl-tokens'],
  },
)

/** Sets the challenge here, because an application may have an error handler of its own. */
function withChallenge(reply: FastifyReply, error: unknown): unknown {
  const challenge = error instanceof PawlError ? challengeOf(error) : undefined
  if (challenge) reply.header('www-authenticate', challenge)
  return error
}

function secondsOf(maxAge: string | number): number {
  const ms = typeof maxAge === 'number' ? maxAge : parseDuration(maxAge)
  if (ms !== undefined && ms > 0) return Math.floor(ms / 1000)
  throw new TypeError('authorize: maxAge must be a duration such as 5m, or milliseconds')
}

function forbidden(missing: 'role' | 'permission'): PawlError {
  return new PawlError('AUTH_FORBIDDEN', { reason: `the user lacks a ${missing}` })
}
