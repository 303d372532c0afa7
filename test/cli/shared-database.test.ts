import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as migrateApplication } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { migrate } from '../../src/db/migrate.ts'
import { openPostgres } from '../../src/db/postgres.ts'
import { signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { runCli } from '../support/cli-process.ts'
import { environment, required } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { createEmptyDatabase } from '../support/services/template.ts'
import { temporaryFolder } from '../support/temporary-files.ts'

async function setUp(t: TestContext) {
  const database = await createEmptyDatabase(required('TEST_DATABASE_URL'))
  cleanUp(t, () => database.drop())
  // A role called pawl would otherwise find the tables of Pawl first.
  const connection = { search_path: 'public' }
  const sql = postgres(database.url, { max: 1, onnotice: () => {}, connection })
  cleanUp(t, () => sql.end())
  const env = await environment(t, { DATABASE_URL: database.url })
  return { url: database.url, sql, env }
}

/** Returns a folder with migrations of an application, which are newer than those of Pawl. */
async function migrationsOfApplication(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(await temporaryFolder(t), 'drizzle-'))
  const entry = {
    idx: 0,
    version: '7',
    when: Date.now() + 10 ** 9,
    tag: '0000_own',
    breakpoints: true,
  }
  writeFileSync(
    join(folder, '0000_own.sql'),
    'create table users (id int); create table sessions ()',
  )
  const meta = join(folder, 'meta')
  mkdirSync(meta)
  const journal = { version: '7', dialect: 'postgresql', entries: [entry] }
  writeFileSync(join(meta, '_journal.json'), JSON.stringify(journal))
  return folder
}

for (const order of ['before', 'after'] as const)
  test(`an application migrates its own tables ${order} Pawl does`, async (t) => {
    const { sql, env } = await setUp(t)
    const migrationsFolder = await migrationsOfApplication(t)
    const own = () => migrateApplication(drizzle(sql), { migrationsFolder })
    if (order === 'before') await own()
    const { code, stderr } = await runCli(['migrate'], env)
    assert.equal(code, 0, stderr)
    if (order === 'after') await own()
    assert.ok((await signUp(await build(t, env))).accessToken)
    assert.deepEqual([...(await sql`select * from public.users`)], [])
    assert.equal((await sql`select id from pawl.users`).length, 1)
  })

test('two schemas in one database are two installations', async (t) => {
  const { sql, env } = await setUp(t)
  for (const DATABASE_SCHEMA of ['one', 'other_2']) {
    const own = { ...env, DATABASE_SCHEMA }
    assert.equal((await runCli(['migrate'], own)).code, 0)
    await signUp(await build(t, own), 'ada@example.com')
    const { code, stderr } = await runCli(['user', 'list'], own)
    assert.equal(code, 0, stderr)
  }
  assert.equal((await sql`select id from one.users`).length, 1)
  assert.equal((await sql`select id from other_2.users`).length, 1)
  const schemas = await sql`select nspname from pg_namespace where nspname = 'pawl'`
  assert.equal(schemas.length, 0)
  for (const name of ['Pawl', 'a-b', '"', 'pg_own', 'information_schema', 'a'.repeat(64)]) {
    const { code, stderr } = await runCli(['migrate'], { ...env, DATABASE_SCHEMA: name })
    assert.equal(code, 1, name)
    assert.match(stderr, /DATABASE_SCHEMA/)
  }
})

test('the role that migrates needs rights on its schema only, the one that serves less', async (t) => {
  const { url, sql, env } = await setUp(t)
  const name = new URL(url).pathname.slice(1)
  const [owner, server] = [`owner_${name}`, `server_${name}`]
  await sql.unsafe(`
    revoke create on database ${name} from public;
    revoke all on schema public from public;
    create role ${owner} login;
    create role ${server} login;
    create schema pawl;
    grant usage, create on schema pawl to ${owner};
    grant usage on schema pawl to ${server};
    alter default privileges for role ${owner} in schema pawl
      grant select, insert, update, delete on tables to ${server};
    alter default privileges for role ${owner} in schema pawl
      grant usage on sequences to ${server};`)
  cleanUp(t, async () => {
    await sql.unsafe(`drop owned by ${owner}`)
    await sql.unsafe(`drop owned by ${server}`)
    await sql.unsafe(`drop role ${owner}, ${server}`)
  })
  const as = (role: string) => {
    const changed = new URL(url)
    changed.username = role
    return { ...env, DATABASE_URL: changed.href }
  }
  const { code, stderr } = await runCli(['migrate'], as(owner))
  assert.equal(code, 0, stderr)
  const app = await build(t, as(server))
  assert.ok((await signUp(app)).accessToken)

  // A deployment runs it each time, and mostly there is nothing to do.
  for (const role of [owner, server]) {
    await sql.unsafe(`revoke create on schema pawl from ${role}`)
    const again = await runCli(['migrate'], as(role))
    assert.deepEqual([again.code, again.stderr], [0, ''])
  }
  await sql`delete from pawl.migrations where position > 0`
  const pending = await runCli(['migrate'], as(owner))
  assert.equal(pending.code, 1)
  assert.match(pending.stderr, /permission denied for schema pawl/)

  await sql.unsafe(`revoke usage on schema pawl from ${server}`)
  const { DATABASE_URL } = as(server)
  await assert.rejects(openPostgres(DATABASE_URL), /: permission denied for schema pawl$/)
})

test('a migration that waits too long for another one says so', async (t) => {
  const { url, sql } = await setUp(t)
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(7295001, hashtext('pawl'))`
    await assert.rejects(migrate(url, 'pawl', 100), {
      message: 'another migration is running: wait until it has ended, and try again',
    })
  })
  await migrate(url)
})

test('a migration that was changed after it was applied is noticed', async (t) => {
  const { url, sql } = await setUp(t)
  await migrate(url)
  // A newer version may have applied more than this one knows.
  await sql`insert into pawl.migrations (position, name, hash) values (1000, 'later', 'x')`
  await migrate(url)
  await (await openPostgres(url)).close()
  await sql`update pawl.migrations set hash = 'other' where position = 0`
  await assert.rejects(migrate(url), /is not the .* of this version/)
  await assert.rejects(openPostgres(url), /is not the .* of this version/)
})

test('a column that somebody has removed is named at the start', async (t) => {
  const { url, sql } = await setUp(t)
  await migrate(url)
  await sql`alter table pawl.sessions drop column last_ip`
  await sql`drop table pawl.epochs cascade`
  await assert.rejects(openPostgres(url), /lacks epochs\.started_at, .*sessions\.last_ip/)
})
