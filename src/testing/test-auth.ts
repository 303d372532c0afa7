import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { bearerToken } from '../../plugins/bearer-token.ts'
import type { RolePermissions } from '../config/permissions.ts'
import { readDemand } from '../http/demands.ts'
import { GUARDS } from '../http/guards.ts'
import { requireFreeNames } from '../http/host-checks.ts'
import type { PawlApplication } from '../http/pawl-application.ts'
import { createTokenGuards } from '../http/token-guards.ts'
import { createTestTokens, type TestUser } from './test-tokens.ts'

export type { TestUser } from './test-tokens.ts'

export interface TestAuthOptions {
  /** What each role allows, as in the configuration of the application. */
  rolePermissions?: RolePermissions | undefined
  /** Returns milliseconds since 1970. By default the time of this machine, even if it is faked. */
  clock?: (() => number) | undefined
}

export interface TestAuth {
  /**
   * The plugin to register instead of `pawl`. It adds the same decorators, and the guards that
   * `pawl` exports find it. It has no routes and no stores, so `app.pawl` throws if it is used.
   */
  plugin: FastifyPluginAsync
  /**
   * Returns an access token of a user in a new session. Throws a `TypeError` if Pawl could not
   * issue such a token.
   */
  tokenFor(user?: TestUser): string
  /** Returns the header of a request by a user. */
  headers(user?: TestUser): { authorization: string }
  /** Revokes a session: its tokens are refused from now on. */
  endSession(sessionId: string): void
}

/**
 * Creates what a team tests its own routes with: the guards of Pawl and tokens that they accept,
 * without stores, accounts or limits. Each has a key of its own, which no server accepts.
 */
export function createTestAuth({
  rolePermissions = {},
  clock = () => Date.now(),
}: TestAuthOptions = {}): TestAuth {
  const tokens = createTestTokens(clock)

  const plugin: FastifyPluginAsync = async (host) => {
    requireFreeNames(host)
    let inner: FastifyInstance | undefined
    // In a scope of its own, as in the real plugin, so that the host sees nothing of it.
    await host.register(async (scope) => {
      inner = scope
      await scope.register(bearerToken)
    })
    if (!inner) throw new Error('The plugin of createTestAuth was not loaded')
    const guards = createTokenGuards({
      authenticate: tokens.authenticate,
      bearerToken: inner.bearerToken,
      rolePermissions,
      clock,
    })
    host.decorateRequest('auth', null)
    host.decorate('authenticate', guards.authenticate)
    host.decorate('authorize', (options) => guards.authorize(readDemand(options)))
    host.decorate(GUARDS, guards)
    host.decorate('pawl', { getter: refuseToPretend })
  }

  return {
    // The name of the real plugin, so that plugins which depend on that one can be loaded.
    plugin: fp(plugin, { name: 'pawl', fastify: '5.x' }),
    tokenFor: tokens.issue,
    headers: (user) => ({ authorization: `Bearer ${tokens.issue(user)}` }),
    endSession: tokens.endSession,
  }
}

function refuseToPretend(): PawlApplication {
  throw new Error('createTestAuth has no app.pawl: test this route with the plugin `pawl`')
}
