import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { cleanUp } from '../support/clean-up.ts'
import { CLI, runCli } from '../support/cli-process.ts'
import { PASSWORD } from '../support/credentials.ts'
import { databaseEnvironment, environment } from '../support/environment.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { temporaryFile, temporaryFolder } from '../support/temporary-files.ts'
import { onDatabase } from '../support/users-table.ts'

async function empty(url: string): Promise<void> {
  await onDatabase(url, (sql) => sql`drop schema pawl cascade`)
}

function tables(url: string) {
  const query = (sql: Parameters<Parameters<typeof onDatabase>[1]>[0]) =>
    sql`select tablename from pg_tables where schemaname = 'pawl' order by 1`
  return onDatabase(url, async (sql) => (await query(sql)).map((row) => row.tablename))
}

test('The server starts on an empty database only after it is migrated', async (t) => {
  const full = await environment(t, { LOG_LEVEL: 'info' })
  const { DATABASE_URL = '' } = full
  await empty(DATABASE_URL)
  const early = spawnServer(t, full, [...CLI, 'serve'])
  assert.equal(await early.ended, 1)
  assert.match(early.output(), /run 'pawl migrate' first/)
  const seeded = await runCli(['seed', '--count', '1'], { DATABASE_URL })
  assert.equal(seeded.code, 1)
  assert.match(seeded.stderr, /run 'pawl migrate' first/)

  for (let time = 1; time <= 2; time++) {
    const { code, stdout, stderr } = await runCli(['migrate'], { DATABASE_URL })
    assert.equal(code, 0, stderr)
    assert.equal(stdout, 'The schema is up to date.\n')
  }
  const { url } = await startServer(t, full, [...CLI, 'serve'])
  assert.equal((await fetch(`${url}/health/ready`)).status, 200)
})

test('a schema name for the embedded database is refused, not ignored', async (t) => {
  const env = { PAWL_DATA_DIR: await temporaryFolder(t), DATABASE_SCHEMA: 'own' }
  const { code, stderr } = await runCli(['migrate'], env)
  assert.equal(code, 1)
  assert.match(stderr, /DATABASE_SCHEMA is set without a DATABASE_URL/)
  const server = spawnServer(t, { ...env, PORT: '0' }, [...CLI, 'serve'])
  assert.equal(await server.ended, 1)
  assert.match(server.output(), /DATABASE_SCHEMA is set without a DATABASE_URL/)
})

test('Two migrations at the same time both succeed', async (t) => {
  const env = await databaseEnvironment(t)
  const expected = await tables(env.DATABASE_URL)
  await empty(env.DATABASE_URL)
  const results = await Promise.all([runCli(['migrate'], env), runCli(['migrate'], env)])
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0],
    results.map(({ stderr }) => stderr).join(''),
  )
  assert.deepEqual(await tables(env.DATABASE_URL), expected)
})

test('An unavailable Postgres is reported by address, without the password', async (t) => {
  const silent = createServer(() => {})
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
  cleanUp(t, async () => silent.close())
  const hosts = ['127.0.0.1:1', `127.0.0.1:${(silent.address() as { port: number }).port}`]
  const lines = ['migrate', 'seed --count 1']
  await Promise.all(
    hosts.flatMap((host) =>
      lines.map(async (line) => {
        const env = { DATABASE_URL: `postgres://pawl:hush@${host}/pawl` }
        const { code, stderr } = await runCli(line.split(' '), env)
        assert.equal(code, 1, line)
        assert.match(stderr, new RegExp(`^Postgres at ${host}[ :].+\n$`))
        assert.ok(!stderr.includes('hush'))
      }),
    ),
  )
})

test('Without DATABASE_URL, commands use the embedded database if no server does', async (t) => {
  const env = {
    PAWL_DATA_DIR: await temporaryFolder(t),
    ARGON2_MEMORY_KIB: '1024',
    PORT: '0',
    RATE_LIMIT: 'off',
  }
  const path = await temporaryFile(t, [{ email: 'ada@example.com', password: PASSWORD }])
  const migrated = await runCli(['migrate'], env)
  assert.equal(migrated.code, 0, migrated.stderr)
  const seeded = await runCli(['seed', '--file', path], env)
  assert.equal(
    seeded.stdout,
    'created ada@example.com\nUsers from the file: 1 created, 0 existed already.\n',
  )

  const { url } = await startServer(t, env, [...CLI, 'serve'])
  const response = await fetch(`${url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.com', password: PASSWORD }),
  })
  assert.equal(response.status, 200)
  for (const line of ['migrate', `seed --file ${path}`, 'user create bob@example.com']) {
    const { code, stdout, stderr } = await runCli(line.split(' '), env, PASSWORD)
    assert.equal(code, 1, line)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^.+ is in use by another process\n.+ the embedded database\. Stop the server, .+\n$/,
    )
  }
})
