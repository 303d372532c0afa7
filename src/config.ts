import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { type StaticDecode, type TString, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { DURATION, parseDuration } from './duration.ts'
import { importSigningKey, SIGNING_ALGORITHMS } from './tokens/signing-key.ts'

/** Ten years: beyond it a duration is a typing error, and times no longer fit the packed session. */
const LONGEST = parseDuration('3650d')

const duration = (fallback: string, what: string) =>
  Type.Transform(
    Type.String({ pattern: DURATION, default: fallback, description: `${what}, written like 15m` }),
  )
    .Decode(parseDuration)
    .Encode((ms) => `${ms}ms`)

const integer = (fallback: number, minimum: number, maximum: number) =>
  Type.Transform(
    Type.String({
      pattern: '^\\d{1,9}$',
      default: String(fallback),
      description: `a whole number from ${minimum} to ${maximum}`,
      range: [minimum, maximum],
    }),
  )
    .Decode(Number)
    .Encode(String)

const flag = (fallback: boolean, on: string, off: string) =>
  Type.Transform(
    Type.String({
      pattern: `^(${on}|${off})$`,
      default: fallback ? on : off,
      description: `${on} or ${off}`,
    }),
  )
    .Decode((text) => text === on)
    .Encode((value) => (value ? on : off))

const oneOf = <const T extends string>(fallback: T, values: readonly T[]) =>
  Type.Unsafe<T>(
    Type.String({
      pattern: `^(${values.join('|')})$`,
      default: fallback,
      description: `one of ${values.join(', ')}`,
    }),
  ) as unknown as TString & { static: T }

const url = (protocols: string) =>
  Type.Optional(
    Type.String({
      pattern: `^(${protocols})://.+`,
      description: `a URL that starts with ${protocols.replace('|', ':// or ')}://`,
    }),
  )

/** The environment, as documented. Values are text here; `loadConfig` decodes them. */
export const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'an address to listen on' }),
  PORT: integer(3000, 0, 65_535),
  DATABASE_URL: url('postgres|postgresql'),
  REDIS_URL: url('redis|rediss'),
  PAWL_DATA_DIR: Type.String({ default: '.pawl', description: 'a folder' }),
  ISSUER: Type.Optional(
    Type.String({ pattern: '^https?://.+', description: 'the public URL of this server' }),
  ),
  AUDIENCE: Type.Optional(Type.String({ description: 'the API that the access tokens are for' })),
  ACCESS_TOKEN_TTL: duration('15m', 'the life of an access token'),
  ACCESS_TOKEN_ALG: oneOf('EdDSA', SIGNING_ALGORITHMS),
  ACCESS_TOKEN_PRIVATE_KEY: Type.Optional(
    Type.String({
      description: 'a private key for ACCESS_TOKEN_ALG: PKCS #8, as PEM or as the base64 of its DER',
    }),
  ),
  REFRESH_TOKEN_SECRET: Type.Optional(
    Type.String({ minLength: 32, description: 'at least 32 characters, random' }),
  ),
  REFRESH_IDLE_TTL: duration('7d', 'how long a session may go without a refresh'),
  SESSION_MAX_TTL: duration('30d', 'the longest life of a session'),
  GRACE: duration('30s', 'how long a spent refresh token is answered with its successor'),
  MAX_SESSIONS_PER_USER: integer(20, 1, 500),
  SIGNUP: flag(true, 'true', 'false'),
  RATE_LIMIT: flag(true, 'on', 'off'),
  TRUST_PROXY: Type.String({
    default: 'false',
    description:
      'true, false, or the addresses of the proxies: IPs, subnets like 10.0.0.0/8, or loopback, comma-separated',
  }),
  LOG_LEVEL: oneOf('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  PASSWORD_MIN_LENGTH: integer(8, 8, 64),
  ARGON2_MEMORY_KIB: integer(19_456, 1_024, 4_194_304),
  ARGON2_TIME: integer(2, 2, 100),
  ARGON2_PARALLELISM: integer(1, 1, 64),
})

type Settings = StaticDecode<typeof Environment>
export type EnvironmentName = keyof Settings
export type Config = Readonly<ReturnType<typeof assemble>>

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
  const given = pick(env)
  const problems = [...typeProblems(given), ...ruleProblems(given)]
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(assemble(Value.Decode(Environment, given)))
}

function pick(env: NodeJS.ProcessEnv) {
  const names = Object.keys(Environment.properties)
  const given = Object.fromEntries(names.filter((name) => env[name]).map((name) => [name, env[name]]))
  return Value.Default(Environment, given) as Record<EnvironmentName, string | undefined>
}

function typeProblems(given: Record<string, string | undefined>): string[] {
  const broken = new Set([...Value.Errors(Environment, given)].map((error) => error.path.slice(1)))
  for (const [name, schema] of Object.entries(Environment.properties)) {
    const value = given[name]
    if (value === undefined || broken.has(name)) continue
    const [minimum, maximum] = (schema.range as [number, number] | undefined) ?? [0, Number.POSITIVE_INFINITY]
    if (schema.range && (Number(value) < minimum || Number(value) > maximum)) broken.add(name)
    if (name === 'TRUST_PROXY' && parseTrustProxy(value) === undefined) broken.add(name)
    if (schema.pattern === DURATION && parseDuration(value) > LONGEST) broken.add(name)
  }
  const described = Environment.properties as Record<string, { description?: string }>
  return [...broken].map((name) => `${name} must be ${described[name]?.description}`)
}

function ruleProblems(given: Record<EnvironmentName, string | undefined>): string[] {
  const problems: string[] = []
  if (!given.DATABASE_URL !== !given.REDIS_URL) {
    problems.push('DATABASE_URL and REDIS_URL belong together: set both, or neither for the embedded default')
  }
  if (given.DATABASE_URL) {
    for (const name of ['ISSUER', 'REFRESH_TOKEN_SECRET', 'ACCESS_TOKEN_PRIVATE_KEY'] as const) {
      if (!given[name]) problems.push(`${name} is required with DATABASE_URL`)
    }
  }
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

function assemble(settings: Settings) {
  const issuer = settings.ISSUER ?? `http://${settings.HOST}:${settings.PORT}`
  return {
    host: settings.HOST,
    port: settings.PORT,
    databaseUrl: settings.DATABASE_URL,
    redisUrl: settings.REDIS_URL,
    dataDir: settings.PAWL_DATA_DIR,
    accessTokenKey: settings.ACCESS_TOKEN_PRIVATE_KEY,
    refreshTokenSecret: settings.REFRESH_TOKEN_SECRET,
    tokens: Object.freeze({
      issuer,
      audience: settings.AUDIENCE ?? issuer,
      algorithm: settings.ACCESS_TOKEN_ALG,
      accessTtl: settings.ACCESS_TOKEN_TTL,
      idleTtl: settings.REFRESH_IDLE_TTL,
      maxTtl: settings.SESSION_MAX_TTL,
      grace: settings.GRACE,
      maxSessions: settings.MAX_SESSIONS_PER_USER,
    }),
    passwords: Object.freeze({
      minLength: settings.PASSWORD_MIN_LENGTH,
      memoryCost: settings.ARGON2_MEMORY_KIB,
      timeCost: settings.ARGON2_TIME,
      parallelism: settings.ARGON2_PARALLELISM,
      /** One hash keeps one core busy: more at once only wait for each other. */
      concurrency: availableParallelism(),
    }),
    signup: settings.SIGNUP,
    rateLimit: settings.RATE_LIMIT,
    trustProxy: parseTrustProxy(settings.TRUST_PROXY) ?? false,
    logLevel: settings.LOG_LEVEL,
  }
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
  return isIP(address) > 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && rest.length === 0
}
