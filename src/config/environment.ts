import { type TString, Type } from '@sinclair/typebox'
import { SIGNING_ALGORITHMS } from '../keys/signing-key.ts'
import { DURATION, parseDuration } from './duration.ts'
import { INTROSPECTION_CLIENTS } from './introspection-clients.ts'

/** Ten years: beyond it a duration is a typing error, and times no longer fit the packed session. */
export const LONGEST = parseDuration('3650d')

const duration = (fallback: string, what: string, shortest = '1s') =>
  Type.Transform(
    Type.String({
      pattern: DURATION,
      default: fallback,
      description: `a duration like 15m, of at least ${shortest} (${what})`,
      shortest: parseDuration(shortest),
    }),
  )
    .Decode(parseDuration)
    .Encode((ms) => `${ms}ms`)

const durationOrOff = (fallback: string, what: string, shortest: string) =>
  Type.Transform(
    Type.String({
      pattern: `^off$|${DURATION}`,
      default: fallback,
      description: `off, or a duration like 15m, of at least ${shortest} (${what})`,
      shortest: parseDuration(shortest),
    }),
  )
    .Decode((text) => (text === 'off' ? undefined : parseDuration(text)))
    .Encode((ms) => (ms === undefined ? 'off' : `${ms}ms`))

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
      isUrl: true,
    }),
  )

/** What a command needs that works on the database alone. */
export const DatabaseEnvironment = Type.Object({
  DATABASE_URL: url('postgres|postgresql'),
  PAWL_DATA_DIR: Type.String({ default: '.pawl', description: 'a folder' }),
  REFRESH_IDLE_TTL: duration('7d', 'how long a session may go without a refresh'),
  PASSWORD_MIN_LENGTH: integer(8, 8, 64),
  ARGON2_MEMORY_KIB: integer(19_456, 1_024, 4_194_304),
  ARGON2_TIME: integer(2, 2, 100),
  ARGON2_PARALLELISM: integer(1, 1, 64),
})

/** The environment, as documented. Values are text here; `loadConfig` decodes them. */
export const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', description: 'an address to listen on' }),
  PORT: integer(3000, 0, 65_535),
  REDIS_URL: Type.Optional(
    Type.String({
      description:
        'a URL that starts with redis:// or rediss://, several of a cluster, comma-separated, or redis+sentinel://host,host/name',
    }),
  ),
  ISSUER: Type.Optional(
    Type.String({
      pattern: '^https?://.+',
      description: 'the public URL of this server',
      isUrl: true,
    }),
  ),
  AUDIENCE: Type.Optional(Type.String({ description: 'the API that the access tokens are for' })),
  ACCESS_TOKEN_TTL: duration('15m', 'the life of an access token'),
  ACCESS_TOKEN_ALG: oneOf('EdDSA', SIGNING_ALGORITHMS),
  ACCESS_TOKEN_PRIVATE_KEY: Type.Optional(
    Type.String({
      description:
        'a private key for ACCESS_TOKEN_ALG: PKCS #8, as PEM or as the base64 of its DER',
    }),
  ),
  REFRESH_TOKEN_SECRET: Type.Optional(
    Type.String({ minLength: 32, description: 'at least 32 characters, random' }),
  ),
  KEY_ENCRYPTION_SECRET: Type.Optional(
    Type.String({
      pattern: '^[^,]{32,}(,[^,]{32,})*$',
      description:
        'at least 32 characters, random; while it is changed, the new one, a comma and the old one',
    }),
  ),
  KEY_ROTATION_AGE: durationOrOff('90d', 'how long a key signs', '1s'),
  KEY_PUBLICATION_DELAY: duration('10m', 'how long a key is published before it signs', '0s'),
  SESSION_MAX_TTL: duration('30d', 'the longest life of a session'),
  GRACE: duration('30s', 'how long a spent refresh token is answered with its successor', '0s'),
  REVOCATION_MAX_STALENESS: duration(
    '2s',
    'how far a node may be behind the revocations and still answer',
    '100ms',
  ),
  MAX_SESSIONS_PER_USER: integer(20, 1, 1_000),
  ROLE_PERMISSIONS: Type.Optional(
    Type.String({
      description:
        'JSON, of roles and what each of them allows, like {"editor":["invoices:write"]}',
    }),
  ),
  TOKEN_PERMISSIONS: flag(false, 'on', 'off'),
  INTROSPECTION_CLIENTS: Type.Optional(
    Type.String({
      pattern: INTROSPECTION_CLIENTS,
      description:
        'pairs of id:secret, comma-separated, of letters, digits, dot, dash and underscore; a secret of at least 32 characters, random',
    }),
  ),
  CORS_ORIGINS: Type.Optional(
    Type.String({
      description:
        'the origins of pages that call this server, like https://app.example.com, comma-separated',
    }),
  ),
  SIGNUP: flag(true, 'true', 'false'),
  RATE_LIMIT: flag(true, 'on', 'off'),
  PLAYGROUND: Type.Optional(
    Type.String({ pattern: '^(true|false)$', description: 'true or false' }),
  ),
  TRUST_PROXY: Type.String({
    default: 'false',
    description:
      'true, false, or the addresses of the proxies: IPs, subnets like 10.0.0.0/8, or loopback, comma-separated',
  }),
  EVENT_RETENTION: duration('90d', 'how long a security event stays on record', '1h'),
  EVENTS_REFRESH: flag(true, 'on', 'off'),
  WEBHOOK_URL: Type.Optional(
    Type.String({
      description: 'a URL that starts with https://, or with http:// on this machine',
    }),
  ),
  WEBHOOK_SECRET: Type.Optional(
    Type.String({
      pattern: '^[^,\\s]{32,}(,[^,\\s]{32,})?$',
      description:
        'at least 32 characters, random, without commas or spaces; while one replaces another, both, comma-separated',
    }),
  ),
  WEBHOOK_RETRY_FOR: duration(
    '24h',
    'how long an event is tried that the webhook does not take',
    '1s',
  ),
  LOG_LEVEL: oneOf('info', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  ...DatabaseEnvironment.properties,
})
