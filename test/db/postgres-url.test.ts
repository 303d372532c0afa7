import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadDatabaseConfig } from '../../src/config/config.ts'
import { rowsOf } from '../../src/db/database.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { type PostgresTarget, parsePostgresUrl, postgresHosts } from '../../src/db/postgres-url.ts'
import { cleanUp } from '../support/clean-up.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { createTemplateDatabase } from '../support/services/template.ts'

function targetOf(url: string): PostgresTarget {
  const target = parsePostgresUrl(url)
  assert.ok(!('problem' in target), `${url}: ${'problem' in target && target.problem}`)
  return target
}

/** URLs in the form in which each vendor prints them, and what they say. */
const VENDORS: Record<
  string,
  [url: string, hosts: string, user?: string | undefined, database?: string]
> = {
  neon: [
    'postgresql://alex:AbC123dEf@ep-cool-1.us-east-2.aws.neon.tech/dbname?sslmode=require&channel_binding=prefer',
    'ep-cool-1.us-east-2.aws.neon.tech:5432',
    'alex',
    'dbname',
  ],
  'neon by its endpoint': [
    'postgresql://alex:p@ep-1.neon.tech/db?sslmode=require&options=endpoint%3Dep-1',
    'ep-1.neon.tech:5432',
    'alex',
    'db',
  ],
  'supabase, direct': [
    'postgresql://postgres:p@db.abcdefgh.supabase.co:5432/postgres',
    'db.abcdefgh.supabase.co:5432',
    'postgres',
    'postgres',
  ],
  'supabase, pooled': [
    'postgres://postgres.abcdefgh:p@aws-0-eu-west-1.pooler.supabase.com:6543/postgres?pgbouncer=true&supa=base-pooler.x',
    'aws-0-eu-west-1.pooler.supabase.com:6543',
    'postgres.abcdefgh',
    'postgres',
  ],
  rds: [
    'postgres://admin:p@db1.abc.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full&sslrootcert=/etc/ssl/global-bundle.pem',
    'db1.abc.eu-west-1.rds.amazonaws.com:5432',
    'admin',
    'app',
  ],
  azure: [
    'postgres://admin@server1:p@server1.postgres.database.azure.com:5432/postgres?sslmode=require',
    'server1.postgres.database.azure.com:5432',
    'admin@server1',
    'postgres',
  ],
  'azure, encoded': [
    'postgres://admin%40server1:p@server1.postgres.database.azure.com/postgres?sslmode=require',
    'server1.postgres.database.azure.com:5432',
    'admin@server1',
    'postgres',
  ],
  heroku: [
    'postgres://uabc:pdef@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d8s7',
    'ec2-1-2-3-4.compute-1.amazonaws.com:5432',
    'uabc',
    'd8s7',
  ],
  fly: [
    'postgres://postgres:p@top2.nearest.of.app.internal:5432',
    'top2.nearest.of.app.internal:5432',
    'postgres',
  ],
  'cloud sql': [
    'postgresql://user:p@/app?host=/cloudsql/project:region:instance',
    '/cloudsql/project:region:instance',
    'user',
    'app',
  ],
  'cloud sql with a host': [
    'postgresql://user:p@localhost/app?host=/cloudsql/project:region:instance',
    '/cloudsql/project:region:instance',
    'user',
    'app',
  ],
  'a socket by parameter, with the port of the URL': [
    'postgresql://user:p@localhost:5433/app?host=/var/run/postgresql',
    '/var/run/postgresql',
    'user',
    'app',
  ],
  'cloud sql by IAM': [
    'postgresql:///app?host=/cloudsql/p:r:i&user=service@project.iam',
    '/cloudsql/p:r:i',
    'service@project.iam',
    'app',
  ],
  'a socket as the host': [
    'postgres://user@%2Fvar%2Frun%2Fpostgresql/app',
    '/var/run/postgresql',
    'user',
    'app',
  ],
  'several hosts': [
    'postgres://user:p@one:5433,two,[2001:db8::3]:5434/app?target_session_attrs=read-write',
    'one:5433, two:5432, [2001:db8::3]:5434',
    'user',
    'app',
  ],
  'nothing but a database': ['postgres:///app', 'localhost:5432', undefined, 'app'],
}

test('the URLs that vendors print are read as they are meant', () => {
  for (const [vendor, [url, hosts, user, database]] of Object.entries(VENDORS)) {
    const target = targetOf(url)
    assert.deepEqual(
      [postgresHosts(target), target.user, target.database],
      [hosts, user, database],
      vendor,
    )
    assert.equal(loadDatabaseConfig({ DATABASE_URL: url }).databaseUrl, url)
  }
})

test('a password may have any character, encoded, and some as they are', () => {
  const all = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 33 + index))
  const encoded = encodeURIComponent(all)
  assert.equal(targetOf(`postgres://user:${encoded}@host/db`).password, all)
  for (const password of ['p@ss', 'p:ss', 'p+ss', 'p&s=s', 'p[s]s', 'p$s!s', 'pässwörd'])
    assert.equal(targetOf(`postgres://user:${password}@host/db`).password, password)
  assert.equal(targetOf('postgres://host/db?user=u&password=p+s%26s').password, 'p+s&s')
})

/** What is refused, and a part of the message. Each contains the word secret in its password. */
const REFUSED: [url: string, message: string][] = [
  ['mysql://user:secret@host/db', 'must be a URL that starts with postgres://'],
  ['postgres://user:sec#secret@host/db', 'must not contain a #'],
  ['postgres://user:sec/secret@host/db', 'write %23 %25 %2F'],
  ['postgres://user:1/secret@host/db', 'write %23 %25 %2F'],
  ['postgres://user:sec?secret@host/db', 'write %23 %25 %2F'],
  ['postgres://user:1?secret=x@host/db', 'write %23 %25 %2F'],
  ['postgres://user:secret%@host/db', 'has a % that is not followed by two hexadecimal digits'],
  ['postgres://user:secret@host:port/db', 'has a host or a port that is not valid'],
  ['postgres://user:secret@host:99999/db', 'has a host or a port that is not valid'],
  ['postgres://user:secret@[host/db', 'has a host or a port that is not valid'],
  ...(
    [
      ['channel_binding=require', 'channel_binding'],
      ['connection_limit=1', 'connection_limit, which is not supported: set DATABASE_POOL_SIZE'],
      ['schema=public', 'schema, which is not supported: set DATABASE_SCHEMA'],
      ['search_path=x', 'search_path'],
      ['pool_timeout=10', 'pool_timeout, which is not supported'],
      ['pgbouncer=maybe', 'pgbouncer'],
      ['sslmode=on', 'sslmode, which must be one of disable, allow, prefer'],
      ['ssl=secret', 'ssl, which must be one of true, false'],
      ['sslaccept=sometimes', 'sslaccept'],
      ['sslaccept=accept_invalid_certs&sslmode=verify-full', 'sslaccept'],
      ['sslrootcert=/ca.pem', 'sslrootcert, which needs sslmode'],
      ['sslrootcert=system&sslmode=require', 'sslrootcert=system'],
      ['sslmode=require&sslcert=/c.pem', 'sslcert and sslkey'],
      ['sslcert=/c.pem&sslkey=/k.pem', 'sslcert, which needs sslmode'],
      ['sslnegotiation=direct', 'sslnegotiation'],
      ['sslcrl=/crl.pem&sslmode=verify-full', 'sslcrl'],
      ['ssl_min_protocol_version=TLSv9', 'ssl_min_protocol_version'],
      ['gssencmode=require', 'gssencmode'],
      ['target_session_attrs=standby', 'target_session_attrs'],
      ['connect_timeout=soon', 'connect_timeout'],
      ['keepalives_idle=-1', 'keepalives_idle'],
      ['client_encoding=LATIN1', 'client_encoding'],
      ['passfile=/secret', 'passfile'],
      ['service=secret', 'service'],
      ['hostaddr=127.0.0.1', 'hostaddr'],
      ['toString=1', 'toString'],
      ['constructor=1', 'constructor'],
    ] as const
  ).map(([query, name]): [string, string] => [`postgres://user:secret@host/db?${query}`, name]),
]

test('what cannot work is refused at start by a message that names it, not the password', () => {
  for (const [url, message] of REFUSED)
    assert.throws(
      () => loadDatabaseConfig({ DATABASE_URL: url }),
      (error: Error) => {
        assert.match(error.message, /DATABASE_URL (must|has|is)/)
        assert.ok(error.message.includes(message), `${url}: ${error.message}`)
        assert.ok(!error.message.includes('secret'), error.message)
        return true
      },
    )
})

test('the parameters reach Postgres', async (t) => {
  const postgres = await startPostgres()
  cleanUp(t, () => postgres.stop())
  const { url } = await createTemplateDatabase(postgres.url)
  const query =
    'application_name=the+name&options=-c%20work_mem%3D5MB&lock_timeout=1500&connect_timeout=3' +
    '&keepalives_idle=30&pgbouncer=true&channel_binding=prefer&sslmode=prefer'
  const socket = `${new URL(url).pathname.slice(1)}?host=${postgres.dir}&port=${postgres.port}`
  const first = `postgres://pawl@127.0.0.1:1,127.0.0.1:${postgres.port}${new URL(url).pathname}`
  for (const target of [
    `${url}?${query}`,
    `postgres://pawl@/${socket}&${query}`,
    `${first}?${query}&target_session_attrs=primary`,
  ]) {
    const database = await openPostgres(target)
    cleanUp(t, () => database.close())
    const statement = `select current_setting('application_name') as name,
      current_setting('work_mem') as memory, current_setting('lock_timeout') as lock`
    const [row] = rowsOf(await database.query(database.orm.execute(statement)))
    assert.deepEqual({ ...Object(row) }, { name: 'the+name', memory: '5MB', lock: '1500ms' })
  }
})
