import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { RolePermissions } from '../src/config/permissions.ts'
import { PawlError } from '../src/errors.ts'
import { challengeOf } from '../src/http/challenges.ts'
import { type Demand, readDemand, refusalOf } from '../src/http/demands.ts'
import { GUARDS } from '../src/http/guards.ts'
import type { Auth } from '../src/tokens/auth.ts'

export interface AuthenticateOptions {
  /** The permissions of each role. */
  rolePermissions: RolePermissions
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Returns `auth`. Throws `AUTH_MISSING_TOKEN` if it is null. */
    requireAuth(): Auth
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

    const authenticate: preHandlerAsyncHookHandler = async (request, reply) => {
      await check(request, reply, false)
    }

    function authorize(demand: Demand): preHandlerAsyncHookHandler {
      return async (request, reply) => {
        const auth = await check(request, reply, demand.fresh)
        const refusal = refusalOf(demand, auth, rolePermissions, clock())
        if (refusal) throw withChallenge(reply, refusal)
      }
    }

    app.decorateRequest('auth', null)
    app.decorateRequest('requireAuth', function (this: FastifyRequest) {
      if (!this.auth) throw new PawlError('AUTH_MISSING_TOKEN')
      return this.auth
    })
    app.decorate('authenticate', authenticate)
    app.decorate('authorize', (options) => authorize(readDemand(options)))
    app.decorate(GUARDS, { authenticate, authorize })
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
