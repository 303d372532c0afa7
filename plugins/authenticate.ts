import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
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
    /** preHandler: `authenticate`, then 403 if the user lacks the role or a permission. */
    authorize(options: AuthorizeOptions): preHandlerAsyncHookHandler
  }
}

/** Decorates the instance with `authenticate` and `authorize`, and requests with `auth`. */
export const authenticate = fp(
  async (app, { rolePermissions }: AuthenticateOptions) => {
    const { tokens } = app

    async function check(
      request: FastifyRequest,
      reply: FastifyReply,
      fresh: boolean,
    ): Promise<void> {
      try {
        const token = app.bearerToken(request)
        if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
        request.auth = await tokens.authenticate(token, fresh)
      } catch (error) {
        // Set here as well: an embedding application may have an error handler of its own.
        const challenge = error instanceof PawlError && challengeOf(error.code, error.statusCode)
        if (challenge) reply.header('www-authenticate', challenge)
        throw error
      }
    }

    app.decorateRequest('auth', null)
    app.decorateRequest('requireAuth', function (this: FastifyRequest) {
      if (!this.auth) throw new PawlError('AUTH_MISSING_TOKEN')
      return this.auth
    })
    app.decorate('authenticate', (request, reply) => check(request, reply, false))
    app.decorate(
      'authorize',
      ({
        roles = [],
        permissions = [],
        fresh = false,
      }: AuthorizeOptions): preHandlerAsyncHookHandler => {
        return async (request, reply) => {
          await check(request, reply, fresh)
          const own = request.auth?.roles ?? []
          if (roles.length > 0 && !own.some((role) => roles.includes(role))) throw forbidden('role')
          if (permissions.length === 0) return
          // Decided by the configuration of this node, even if the token carries permissions.
          const allowed = permissionsOf(rolePermissions, own)
          if (!permissions.every((permission) => allowed.includes(permission)))
            throw forbidden('permission')
        }
      },
    )
  },
  { name: 'pawl-authenticate', dependencies: ['pawl-bearer-token', 'pawl-tokens'] },
)

function forbidden(missing: 'role' | 'permission'): PawlError {
  return new PawlError('AUTH_FORBIDDEN', { reason: `the user lacks a ${missing}` })
}
