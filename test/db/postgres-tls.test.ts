import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rowsOf } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { environment } from '../support/environment.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'
import { type Certificate, createCertificate } from '../support/services/certificate.ts'
import { startPostgres } from '../support/services/postgres.ts'
import { createEmptyDatabase } from '../support/services/template.ts'
import { temporaryFile, temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'
import { onDatabase } from '../support/users-table.ts'

const HERE = 'IP:127.0.0.1,DNS:localhost'

/** Starts a Postgres that accepts only TLS, and returns the URL of a database with the tables. */
async function startTls(
  t: TestContext,
  { names = HERE, clientCertificate = false, method = 'trust' } = {},
) {
  let certificate: Certificate | undefined
  const postgres = await startPostgres({
    prepare(folder) {
      certificate = createCertificate(folder, names)
      const rules = join(folder, 'rules.conf')
      const option = clientCertificate ? 'clientcert=verify-ca' : ''
      // Without TLS there is only the database that tells whether the server is ready.
      const accepted = [
        'local all all trust',
        'host postgres all 127.0.0.1/32 trust',
        `hostssl all all 127.0.0.1/32 ${method} ${option}`,
      ]
      writeFileSync(rules, `${accepted.join('\n')}\n`)
      return [
        'ssl=on',
        `ssl_cert_file=${certificate?.path}`,
        `ssl_key_file=${certificate?.key}`,
        `ssl_ca_file=${certificate?.path}`,
        `hba_file=${rules}`,
      ]
    },
  })
  cleanUp(t, () => postgres.stop())
  if (!certificate) throw new Error('openssl could not create a certificate')
  const { name } = await createEmptyDatabase(postgres.url)
  const at = (query: string, host = '127.0.0.1') =>
    `postgres://pawl:a-password@${host}:${postgres.port}/${name}?${query}`
  await migrate(`postgres://pawl@localhost:${postgres.port}/${name}?host=${postgres.dir}`)
  return { postgres, certificate, at }
}

/** Returns whether the connections of the URL use TLS. */
async function usesTls(url: string): Promise<boolean | undefined> {
  const database = await openPostgres(url)
  try {
    const statement = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
    const [row] = rowsOf<{ ssl: boolean }>(await database.query(database.orm.execute(statement)))
    return row?.ssl
  } finally {
    await database.close()
  }
}

test('each sslmode verifies what it says', async (t) => {
  const { certificate, at } = await startTls(t)
  const root = `sslrootcert=${certificate.path}`
  for (const query of ['', 'sslmode=allow', 'sslmode=prefer', 'sslmode=require', 'ssl=true'])
    assert.equal(await usesTls(at(query)), true, query)
  for (const query of [`sslmode=require&${root}`, `sslmode=verify-ca&${root}`])
    assert.equal(await usesTls(at(query)), true, query)
  for (const host of ['127.0.0.1', 'localhost'])
    for (const query of [
      `sslmode=verify-full&${root}`,
      `sslaccept=strict&sslmode=verify-full&${root}`,
    ])
      assert.equal(await usesTls(at(query, host)), true, query)
  assert.equal(await usesTls(at(`sslmode=require&ssl_min_protocol_version=TLSv1.3`)), true)
  for (const query of ['sslmode=verify-ca', 'sslmode=verify-full', 'sslrootcert=system'])
    await assert.rejects(usesTls(at(query)), /cannot be reached: TLS failed: self-signed/, query)
  await assert.rejects(usesTls(at('sslmode=disable')), /no pg_hba.conf entry.*no encryption/)
})

test('verify-full refuses the certificate of another server, and verify-ca does not', async (t) => {
  const { certificate, at } = await startTls(t, { names: 'DNS:db.example.com' })
  const root = `sslrootcert=${certificate.path}`
  assert.equal(await usesTls(at(`sslmode=verify-ca&${root}`, 'localhost')), true)
  for (const host of ['127.0.0.1', 'localhost'])
    await assert.rejects(
      usesTls(at(`sslmode=verify-full&${root}`, host)),
      /TLS failed: Hostname\/IP does not match/,
    )
})

test('verify-full compares an IP address with the addresses of the certificate', async (t) => {
  const { certificate, at } = await startTls(t, { names: 'IP:127.0.0.1,DNS:db.example.com' })
  const query = `sslmode=verify-full&sslrootcert=${certificate.path}`
  assert.equal(await usesTls(at(query, '127.0.0.1')), true)
  await assert.rejects(usesTls(at(query, 'localhost')), /TLS failed: Hostname/)
})

test('a client certificate is presented if the server demands one', async (t) => {
  const { certificate, at } = await startTls(t, { clientCertificate: true })
  const client = `sslcert=${certificate.path}&sslkey=${certificate.key}`
  assert.equal(await usesTls(at(`sslmode=require&${client}`)), true)
  await assert.rejects(usesTls(at('sslmode=require')), /requires a valid client certificate/)
})

test('a certificate that is no longer trusted makes Postgres unavailable', async (t) => {
  const { postgres, certificate, at } = await startTls(t)
  const database = await openPostgres(at(`sslmode=verify-full&sslrootcert=${certificate.path}`))
  cleanUp(t, () => database.close())
  // The server gets a new certificate. The authority is the one of the start.
  await postgres.restart()
  await until(() =>
    database.ping().then(
      () => false,
      ({ code, cause }) =>
        code === 'AUTH_UNAVAILABLE' && /^TLS failed: self-signed/.test(cause?.message),
    ),
  )
})

test('a password of any characters is the one that Postgres checks', async (t) => {
  const { postgres, at } = await startTls(t, { method: 'scram-sha-256' })
  const password = String.fromCharCode(...Array.from({ length: 94 }, (_, index) => 33 + index))
  const quoted = `'${password.replaceAll("'", "''")}'`
  await onDatabase(postgres.url, (sql) =>
    sql.unsafe(`create role ada superuser login password ${quoted}`),
  )
  const url = (text: string) => at('').replace('pawl:a-password', `ada:${text}`)
  assert.equal(await usesTls(url(encodeURIComponent(password))), true)
  await assert.rejects(usesTls(url('wrong')), /password authentication failed/)
})

test('a file that cannot be used is refused by the name of its parameter', async (t) => {
  const missing = join(await temporaryFolder(t), 'missing.pem')
  const text = await temporaryFile(t, 'not a certificate')
  const url = (query: string) => `postgres://pawl:a-password@127.0.0.1:1/postgres?${query}`
  const cases: [query: string, message: RegExp][] = [
    [`sslmode=verify-full&sslrootcert=${missing}`, /the file of sslrootcert .*ENOENT/],
    [`sslmode=verify-full&sslrootcert=${text}`, /TLS: the content of sslrootcert/],
    [`sslmode=require&sslcert=${text}&sslkey=${missing}`, /the file of sslkey .*ENOENT/],
    [`sslmode=require&sslcert=${text}&sslkey=${text}`, /TLS: the content of sslcert and sslkey/],
  ]
  for (const [query, message] of cases)
    await assert.rejects(openPostgres(url(query)), (error: Error) => {
      assert.match(error.message, message)
      assert.match(error.message, /^Postgres at 127\.0\.0\.1:1: /)
      assert.ok(!error.message.includes('a-password'))
      return true
    })
})

test('the server and the commands say that TLS failed', async (t) => {
  const plain = await startPostgres()
  cleanUp(t, () => plain.stop())
  const { postgres, certificate, at } = await startTls(t)
  const withoutTls = `postgres://pawl:a-password@127.0.0.1:${plain.port}/postgres?sslmode=require`
  for (const [url, port] of [
    [withoutTls, plain.port],
    [at('sslmode=verify-full'), postgres.port],
  ] as const) {
    const server = spawnServer(t, await environment(t, { DATABASE_URL: url }))
    assert.equal(await server.ended, 1)
    assert.match(server.output(), new RegExp(`Postgres at 127.0.0.1:${port}: .*TLS failed: `))
    const migration = await runCli(['migrate'], { DATABASE_URL: url })
    assert.equal(migration.code, 1)
    assert.match(migration.stderr, new RegExp(`Postgres at 127.0.0.1:${port} .*TLS failed: `))
    assert.ok(!(server.output() + migration.stderr).includes('a-password'))
  }
  const DATABASE_URL = at(`sslmode=verify-full&sslrootcert=${certificate.path}`)
  const server = await startServer(t, await environment(t, { DATABASE_URL }))
  assert.ok((await signUpAt(server.url)).accessToken)
})
