import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { RolePermissions } from '../src/config/permissions.ts'
import { readDemand } from '../src/http/demands.ts'
import { authOf, GUARDS } from '../src/http/guards.ts'
import { createTokenGuards } from '../src/http/token-guards.ts'
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
    const { tokens, bearerToken } = app
    const guards = createTokenGuards({
      authenticate: tokens.authenticate,
      bearerToken,
      rolePermissions,
      onRefused: app.recordRefusal,
      clock: app.hotState.now,
    })
    app.decorateRequest('auth', null)
    app.decorateRequest('requireAuth', function (this: FastifyRequest) {
      return authOf(this)
    })
    app.decorate('authenticate', guards.authenticate)
    app.decorate('authorize', (options) => guards.authorize(readDemand(options)))
    app.decorate(GUARDS, guards)
  },
  {
    name: 'pawl-authenticate',
    dependencies: ['pawl-bearer-token', 'pawl-hot-state', 'pawl-refusals', 'pawl-tokens'],
  },
)
