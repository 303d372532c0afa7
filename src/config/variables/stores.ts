import { parsePostgresUrl } from '../../db/postgres-url.ts'
import { DEFAULT_SCHEMA, isSchemaName } from '../../db/schema-name.ts'
import { parseRedisUrl } from '../../redis/url.ts'
import { optionalText, variable, wholeNumber } from '../variable.ts'

export const STORE_VARIABLES = {
  databaseUrl: optionalText('DATABASE_URL', {
    requiredWith: 'REDIS_URL',
    format: 'a URL that starts with postgres:// or postgresql://',
    isValid: (text) => !problemOf(text),
    problemOf,
    description:
      'Postgres database ([guide](guides/postgres.md)). If neither this nor `REDIS_URL` is set, ' +
      'Pawl runs on its embedded default: Postgres, and the state that would be in Redis, are ' +
      'part of the process.',
  }),
  databasePoolSize: wholeNumber('DATABASE_POOL_SIZE', [1, 1_000], {
    default: '10',
    description:
      'Highest number of connections that each process opens to `DATABASE_URL`. If Postgres ' +
      'grants fewer, statements wait for the ones that are open.',
  }),
  databaseSchema: variable<string>('DATABASE_SCHEMA', {
    default: DEFAULT_SCHEMA,
    format: 'a name of small letters, digits and underscores, of at most 63 characters',
    isValid: isSchemaName,
    parse: (text) => text,
    description:
      'Schema of the tables in `DATABASE_URL`, so that an application can share the database ' +
      '([guide](guides/postgres.md)). The embedded default refuses another one than `pawl`.',
  }),
  redisUrl: optionalText('REDIS_URL', {
    requiredWith: 'DATABASE_URL',
    format:
      'a URL that starts with redis:// or rediss://, several of them for a cluster, ' +
      'comma-separated, or redis+sentinel://host,host/name',
    isValid: (text) => parseRedisUrl(text) !== undefined,
    description: 'Redis server, the nodes of a cluster, or Sentinels ([guide](guides/redis.md)).',
  }),
  dataDir: variable<string>('PAWL_DATA_DIR', {
    default: '.pawl',
    format: 'the path of a folder',
    isValid: () => true,
    parse: String,
    description:
      'Folder that holds the data and the secrets of the embedded default. It is created on the ' +
      'first start, for this user alone. One that belongs to another user, or that others can ' +
      'write to, is refused.',
  }),
}

/** Returns what is wrong with a `DATABASE_URL`. */
function problemOf(text: string): string | undefined {
  const target = parsePostgresUrl(text)
  return 'problem' in target ? target.problem : undefined
}
