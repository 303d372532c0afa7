import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { accounts } from '../plugins/accounts.ts'
import { administration } from '../plugins/administration.ts'
import { application } from '../plugins/application.ts'
import { authenticate } from '../plugins/authenticate.ts'
import { bearerToken } from '../plugins/bearer-token.ts'
import { clientAuthentication } from '../plugins/client-authentication.ts'
import { codes } from '../plugins/codes.ts'
import { cors } from '../plugins/cors.ts'
import { database } from '../plugins/database.ts'
import { device } from '../plugins/device.ts'
import { events } from '../plugins/events.ts'
import { guesses } from '../plugins/guesses.ts'
import { healing } from '../plugins/healing.ts'
import { hotState } from '../plugins/hot-state.ts'
import { isolation } from '../plugins/isolation.ts'
import { jsonBody } from '../plugins/json-body.ts'
import { keys } from '../plugins/keys.ts'
import { mails } from '../plugins/mail.ts'
import { metrics } from '../plugins/metrics.ts'
import { renderError } from '../plugins/problem-details.ts'
import { rateLimit } from '../plugins/rate-limit.ts'
import { recovery } from '../plugins/recovery.ts'
import { refreshCookie } from '../plugins/refresh-cookie.ts'
import { refusals } from '../plugins/refusals.ts'
import { securityHeaders } from '../plugins/security-headers.ts'
import { sessions } from '../plugins/sessions.ts'
import { tokens } from '../plugins/tokens.ts'
import { metadataOutsidePrefix } from '../routes/discovery/oauth-metadata.ts'
import { routes } from '../routes/index.ts'
import type { Config } from './config/config.ts'
import { loadSecrets } from './config/secrets.ts'
import { logWeakSettings } from './config/weak-settings.ts'
import { checkHostClients, type HostRedis, type HostSql } from './embedding/host-clients.ts'
import { GUARDS } from './http/guards.ts'
import { explainCollision, requireConfig, requireFreeNames } from './http/host-checks.ts'
import type { PawlApplication } from './http/pawl-application.ts'
import { type RouteChoice, readRouteChoice } from './http/route-groups.ts'
import { withinPluginTimeout } from './http/start-deadline.ts'
import { compileValidator } from './http/validation.ts'
import type { MailCallback } from './mail/mail.ts'
import type { ClaimsCallback } from './tokens/added-claims.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sessions and users of the application. */
    pawl: PawlApplication
  }
}

export interface PawlOptions {
  /** The result of `loadConfig(process.env)`. */
  config: Config
  /** A path that precedes the paths of all routes. */
  prefix?: string
  /** Which routes to leave out, such as `{ metrics: false }`. All are mounted unless named. */
  routes?: RouteChoice
  /**
   * Returns claims to add to an access token. It is called each time that one is issued: at a
   * login and at each refresh. If it throws or takes longer than a second, the response is a 503,
   * and nothing is spent. The claims of a token have at most 1 kB as JSON, and their names must not
   * be registered ones or Pawl's own.
   */
  claims?: ClaimsCallback
  /**
   * The clients of the application for Redis (ioredis) and Postgres (postgres.js), instead of
   * `REDIS_URL` and `DATABASE_URL`. Pawl opens connections of its own to the same servers, and
   * neither uses, changes nor closes the clients.
   */
  redis?: HostRedis
  sql?: HostSql
  /**
   * Takes each mail, instead of SMTP. It resolves when the mail is safe with whoever sends it. If
   * it rejects or takes longer than half a minute, it gets the mail again later.
   */
  mail?: MailCallback
  /** Returns milliseconds since 1970. For tests. */
  clock?: () => number
}

/** Fastify's `pluginTimeout` if the application does not set it, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000

/**
 * Adds Pawl to a Fastify application: its routes and, for the routes of the application, the
 * decorators `authenticate`, `authorize`, `pawl` and `request.auth`. Everything else (database,
 * Redis, error format, limits) stays in a scope of its own and does not affect the application.
 */
export const pawl: FastifyPluginAsync<PawlOptions> = fp(
  async (host: FastifyInstance, options: PawlOptions) => {
    requireConfig(options)
    checkHostClients(options, options.config)
    requireFreeNames(host)
    let inner: FastifyInstance | undefined
    const parts: FastifyPluginAsync = async (scope) => {
      inner = scope
      await registerParts(scope, options)
    }
    const load = async () => {
      await host.register(parts, options.prefix ? { prefix: options.prefix } : {})
      await mountOutsidePrefix(host, options)
    }
    try {
      await withinPluginTimeout(host.initialConfig.pluginTimeout ?? DEFAULT_TIMEOUT, load())
    } catch (error) {
      throw explainCollision(error, host.prefix + (options.prefix ?? ''))
    }
    if (!inner) throw new Error('Pawl was not loaded')
    host.decorateRequest('auth', null)
    host.decorate('authenticate', inner.authenticate)
    host.decorate('authorize', inner.authorize)
    host.decorate(GUARDS, inner[GUARDS])
    const { sessions, users, on, metrics }: PawlApplication = inner.application
    host.decorate('pawl', { sessions, users, on, metrics })
  },
  { name: 'pawl', fastify: '5.x' },
)

async function registerParts(
  scope: FastifyInstance,
  { config, claims, mail, routes: choice, clock, ...clients }: PawlOptions,
): Promise<void> {
  const mounted = readRouteChoice(choice)
  logWeakSettings(config, scope.log)
  scope.setValidatorCompiler(compileValidator)
  await scope.register(isolation)
  await scope.register(jsonBody)
  await scope.register(metrics)
  await scope.register(securityHeaders)
  await scope.register(cors, config)
  await scope.register(database, { ...config, sql: clients.sql })
  await scope.register(codes, { clock })
  await scope.register(events, { ...config, clock })
  await scope.register(refusals, { renderError })
  await scope.register(mails, { ...config, mail, issue: scope.codes.issue })
  const secrets = await loadSecrets(config)
  await scope.register(keys, { ...config, ...secrets })
  const redis = await openRedis(scope, clients.redis ?? config.redisUrl)
  await scope.register(hotState, { ...config, ...secrets, redis, clock })
  await scope.register(healing, { ...config, redis })
  await scope.register(tokens, { ...config, claims })
  await scope.register(sessions, config)
  await scope.register(accounts, { ...config, clock })
  await scope.register(recovery, { ...config, clock })
  await scope.register(administration, { clock })
  await scope.register(bearerToken)
  await scope.register(authenticate, config)
  await scope.register(refreshCookie, config)
  await scope.register(application, { clock })
  await scope.register(clientAuthentication, config)
  await scope.register(device)
  await scope.register(guesses, { ...config, ...secrets, redis, clock })
  await scope.register(rateLimit, config)
  await scope.register(routes, {
    issuer: config.issuer,
    mounted,
    introspection: config.introspectionClients.length > 0,
    service: config.sessionClients.length > 0,
  })
}

/** Mounts the metadata of the issuer, which RFC 8414 places outside of any prefix. */
async function mountOutsidePrefix(host: FastifyInstance, options: PawlOptions): Promise<void> {
  const { config, prefix, routes: choice } = options
  const { discovery, oauth } = readRouteChoice(choice)
  if (!prefix || !discovery || !oauth) return
  const { issuer, introspectionClients } = config
  const introspection = introspectionClients.length > 0
  await host.register(metadataOutsidePrefix, { issuer, introspection, pawlPrefix: prefix })
}

/** Opens Redis beside the `redis` decorator of the application, if it has one. */
async function openRedis(scope: FastifyInstance, to: string | HostRedis | undefined) {
  if (!to) return undefined
  const { redis } = await import('../plugins/redis.ts')
  if (!scope.hasDecorator('redis')) {
    await scope.register(redis, { redis: to })
    return scope.redis
  }
  await scope.register(redis, { redis: to, namespace: 'pawl' })
  return scope.redis.pawl
}
