import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { permissionsOf, type RolePermissions } from '../src/config/permissions.ts'
import { challengeOf, PawlError } from '../src/errors.ts'
import type { Auth } from '../src/tokens/token-inspector.ts'

export interface AuthorizeOptions {
  /** One of these is enough; none named, any user is. */
  roles?: readonly string[]
  /** All of these are needed; which roles allow them says the configuration. */
  permissions?: readonly string[]
  /** Ask the store as well, for what must not wait the few milliseconds until this node has heard of a revocation. */
  fresh?: boolean
}

export interface AuthenticateOptions {
  /** What each role allows. */
  rolePermissions: RolePermissions
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate` and `authorize`; null on a route that has neither. */
    auth: Auth | null
  }
  interface FastifyInstance {
    /** preHandler: 401 without a valid access token of a session that lives. */
    authenticate: preHandlerAsyncHookHandler
    /** preHandler: `authenticate`, then 403 without one of the roles, or without all of the permissions. */
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
        // Also where the route's own application renders its errors in another way.
        const challenge = error instanceof PawlError && challengeOf(error.code, error.statusCode)
        if (challenge) reply.header('www-authenticate', challenge)
        throw error
      }
    }

    app.decorateRequest('auth', null)
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
          // By the configuration of this node, whatever the token says.
          const allowed = permissionsOf(rolePermissions, own)
          if (!permissions.every((permission) => allowed.includes(permission)))
            throw forbidden('permission')
        }
      },
    )
  },
  { name: 'pawl-authenticate', dependencies: ['pawl-bearer-token', 'pawl-tokens'] },
)

function forbidden(lacking: string): PawlError {
  return new PawlError('AUTH_FORBIDDEN', { reason: `a ${lacking} is lacking` })
}
