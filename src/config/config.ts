import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import type { StaticDecode, TObject } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { isWebOrigin } from '../http/origins.ts'
import { importSigningKey } from '../keys/signing-key.ts'
import { parseRedisUrl } from '../redis/url.ts'
import { isWebhookUrl } from '../webhook/webhook-url.ts'
import { DURATION, parseDuration } from './duration.ts'
import { DatabaseEnvironment, Environment, LONGEST } from './environment.ts'
import { parseClients } from './introspection-clients.ts'
import { parseRolePermissions } from './permissions.ts'

type Settings = StaticDecode<typeof Environment>
type DatabaseSettings = StaticDecode<typeof DatabaseEnvironment>
/** Values as given, still text. */
type Given = Record<string, string | undefined>
export type EnvironmentName = keyof Settings
export type Config = Readonly<ReturnType<typeof assemble>>
export type DatabaseConfig = Readonly<ReturnType<typeof assembleDatabase>>

/** Which variables are wrong, and how; never what they contained. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n  ${problems.join('\n  ')}`,
    )
    this.problems = problems
  }
}

/**
 * Read and check the whole environment at once. An empty variable counts as unset, as Compose files pass them.
 * Throws `ConfigError` with every problem in it.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const given = pick(Environment, env)
  const problems = [...typeProblems(Environment, given), ...ruleProblems(given)]
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(assemble(Value.Decode(Environment, given)))
}

/** The same for a command that works on the database alone: no other variable is looked at, no secret required. */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const given = pick(DatabaseEnvironment, env)
  const problems = typeProblems(DatabaseEnvironment, given)
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(assembleDatabase(Value.Decode(DatabaseEnvironment, given)))
}

function pick(schema: TObject, env: NodeJS.ProcessEnv): Given {
  const names = Object.keys(schema.properties)
  const given = Object.fromEntries(
    names.filter((name) => env[name]).map((name) => [name, env[name]]),
  )
  return Value.Default(schema, given) as Given
}

function typeProblems(schema: TObject, given: Given): string[] {
  const broken = new Set([...Value.Errors(schema, given)].map((error) => error.path.slice(1)))
  for (const [name, { range, isUrl, shortest }] of Object.entries(schema.properties)) {
    const value = given[name]
    if (value === undefined || broken.has(name)) continue
    const [minimum, maximum] = (range as [number, number] | undefined) ?? [
      0,
      Number.POSITIVE_INFINITY,
    ]
    if (range && (Number(value) < minimum || Number(value) > maximum)) broken.add(name)
    if (isUrl && !URL.canParse(value)) broken.add(name)
    if (name === 'REDIS_URL' && !parseRedisUrl(value)) broken.add(name)
    if (name === 'WEBHOOK_URL' && !isWebhookUrl(value)) broken.add(name)
    if (name === 'ROLE_PERMISSIONS' && !parseRolePermissions(value)) broken.add(name)
    if (name === 'TRUST_PROXY' && parseTrustProxy(value) === undefined) broken.add(name)
    if (name === 'CORS_ORIGINS' && !parseOrigins(value).every(isWebOrigin)) broken.add(name)
    if (
      shortest !== undefined &&
      value !== 'off' &&
      !isBetween(parseDuration(value), shortest, LONGEST)
    )
      broken.add(name)
  }
  return [...broken].map((name) => `${name} must be ${schema.properties[name]?.description}`)
}

function ruleProblems(given: Partial<Record<EnvironmentName, string>>): string[] {
  const problems: string[] = []
  if (!given.DATABASE_URL !== !given.REDIS_URL) {
    problems.push(
      'DATABASE_URL and REDIS_URL belong together: set both, or neither for the embedded default',
    )
  }
  if (given.DATABASE_URL) {
    for (const name of REQUIRED)
      if (!given[name]) problems.push(`${name} is required with DATABASE_URL`)
  }
  if (!given.WEBHOOK_URL !== !given.WEBHOOK_SECRET)
    problems.push('WEBHOOK_URL and WEBHOOK_SECRET belong together: set both, or neither')
  if (isLonger(given.GRACE, given.REFRESH_IDLE_TTL))
    problems.push('GRACE must be shorter than REFRESH_IDLE_TTL')
  if (given.ACCESS_TOKEN_PRIVATE_KEY) {
    try {
      importSigningKey(given.ACCESS_TOKEN_PRIVATE_KEY, given.ACCESS_TOKEN_ALG ?? '')
    } catch {
      problems.push(
        `ACCESS_TOKEN_PRIVATE_KEY must be ${Environment.properties.ACCESS_TOKEN_PRIVATE_KEY.description}`,
      )
    }
  }
  return problems
}

/** Nothing has a default that everybody knows, and nothing is made up that other nodes would not have. */
const REQUIRED = [
  'ISSUER',
  'REFRESH_TOKEN_SECRET',
  'ACCESS_TOKEN_PRIVATE_KEY',
  'KEY_ENCRYPTION_SECRET',
] as const

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

function isLonger(one: string | undefined, other: string | undefined): boolean {
  const both = [one, other].every((text) => text !== undefined && new RegExp(DURATION).test(text))
  return both && parseDuration(one ?? '') > parseDuration(other ?? '')
}

function assembleDatabase(settings: DatabaseSettings) {
  return {
    databaseUrl: settings.DATABASE_URL,
    dataDir: settings.PAWL_DATA_DIR,
    refreshIdleTtl: settings.REFRESH_IDLE_TTL,
    passwords: Object.freeze({
      minLength: settings.PASSWORD_MIN_LENGTH,
      memoryCost: settings.ARGON2_MEMORY_KIB,
      timeCost: settings.ARGON2_TIME,
      parallelism: settings.ARGON2_PARALLELISM,
      /** One hash keeps one core busy: more at once only wait for each other. */
      concurrency: availableParallelism(),
    }),
  }
}

function assemble(settings: Settings) {
  const host = settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST
  const issuer = settings.ISSUER ?? `http://${host}:${settings.PORT}`
  return {
    host: settings.HOST,
    port: settings.PORT,
    ...assembleDatabase(settings),
    redisUrl: settings.REDIS_URL,
    accessTokenPrivateKey: settings.ACCESS_TOKEN_PRIVATE_KEY,
    refreshTokenSecret: settings.REFRESH_TOKEN_SECRET,
    keyEncryptionSecret: settings.KEY_ENCRYPTION_SECRET,
    keys: Object.freeze({
      keyRotationAge: settings.KEY_ROTATION_AGE,
      keyPublicationDelay: settings.KEY_PUBLICATION_DELAY,
    }),
    tokens: Object.freeze({
      issuer,
      audience: settings.AUDIENCE ?? issuer,
      algorithm: settings.ACCESS_TOKEN_ALG,
      accessTokenTtl: settings.ACCESS_TOKEN_TTL,
      refreshIdleTtl: settings.REFRESH_IDLE_TTL,
      sessionMaxTtl: settings.SESSION_MAX_TTL,
      grace: settings.GRACE,
      revocationMaxStaleness: settings.REVOCATION_MAX_STALENESS,
      maxSessionsPerUser: settings.MAX_SESSIONS_PER_USER,
    }),
    events: Object.freeze({
      retention: settings.EVENT_RETENTION,
      refreshes: settings.EVENTS_REFRESH,
      webhook: settings.WEBHOOK_URL
        ? {
            url: settings.WEBHOOK_URL,
            secrets: settings.WEBHOOK_SECRET?.split(',') ?? [],
            retryFor: settings.WEBHOOK_RETRY_FOR,
          }
        : undefined,
    }),
    permissions: Object.freeze({
      byRole: parseRolePermissions(settings.ROLE_PERMISSIONS ?? '{}') ?? {},
      inTokens: settings.TOKEN_PERMISSIONS,
    }),
    introspectionClients: Object.freeze(parseClients(settings.INTROSPECTION_CLIENTS)),
    corsOrigins: Object.freeze(parseOrigins(settings.CORS_ORIGINS)),
    signup: settings.SIGNUP,
    rateLimit: settings.RATE_LIMIT,
    /** For a look at the embedded default; in production only where it is asked for. */
    playground: settings.PLAYGROUND ? settings.PLAYGROUND === 'true' : !settings.DATABASE_URL,
    trustProxy: parseTrustProxy(settings.TRUST_PROXY) ?? false,
    logLevel: settings.LOG_LEVEL,
  }
}

function parseOrigins(text = ''): string[] {
  return text === '' ? [] : text.split(',').map((origin) => origin.trim())
}

/** Undefined where the text is none of what it may be. */
function parseTrustProxy(text: string): boolean | string[] | undefined {
  if (text === 'true' || text === 'false') return text === 'true'
  const proxies = text.split(',').map((proxy) => proxy.trim())
  return proxies.every((proxy) => proxy === 'loopback' || isSubnet(proxy)) ? proxies : undefined
}

function isSubnet(text: string): boolean {
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) > 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && rest.length === 0
  )
}
