import { ConfigError } from '../config/config.ts'

/** A client of the application for Redis, a cluster, or the master that Sentinels name (ioredis). */
export interface HostRedis {
  readonly options: object
  readonly status: string
}

/** A client of the application for Postgres (postgres.js). */
export interface HostSql {
  readonly options: { readonly host: readonly string[]; readonly port: readonly number[] }
}

export interface HostClients {
  redis?: HostRedis | undefined
  sql?: HostSql | undefined
}

interface Settings {
  databaseUrl: string | undefined
  redisUrl: string | undefined
  accessTokenPrivateKey: string | undefined
  refreshTokenSecret: string | undefined
  keyEncryptionSecret: string | undefined
}

/**
 * Checks that the clients of the application, if there are any, can stand for `DATABASE_URL` and
 * `REDIS_URL`. Throws a `TypeError`, or a `ConfigError` if a setting is missing or too many.
 */
export function checkHostClients({ redis, sql }: HostClients, settings: Settings): void {
  if (!redis && !sql) return
  if (!redis || !sql)
    throw new TypeError(
      'Pawl needs both clients of the application, or neither: ' +
        'register(pawl, { config, redis, sql })',
    )
  if (!isRedis(redis)) throw new TypeError('The option redis is not a client of ioredis.')
  if (!isSql(sql)) throw new TypeError('The option sql is not a client of postgres.js.')
  const { accessTokenPrivateKey, refreshTokenSecret, keyEncryptionSecret } = settings
  const secrets = {
    ACCESS_TOKEN_PRIVATE_KEY: accessTokenPrivateKey,
    REFRESH_TOKEN_SECRET: refreshTokenSecret,
    KEY_ENCRYPTION_SECRET: keyEncryptionSecret,
  }
  const problems = [
    ...(settings.databaseUrl ? ['DATABASE_URL and the option sql exclude each other'] : []),
    ...(settings.redisUrl ? ['REDIS_URL and the option redis exclude each other'] : []),
    // None is made up, because other nodes would not have it.
    ...Object.entries(secrets).flatMap(([name, value]) =>
      value ? [] : [`${name} is required because the application gives its clients`],
    ),
  ]
  if (problems.length > 0) throw new ConfigError(problems)
}

function isRedis(client: Partial<HostRedis>): boolean {
  return typeof client.options === 'object' && typeof client.status === 'string'
}

function isSql(client: Partial<HostSql>): boolean {
  return typeof client === 'function' && Array.isArray((client as HostSql).options?.host)
}
