import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { leash } from './leash.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import { cloneDatabase } from './template.ts'

function accepts(port: number) {
  return new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () =>
      resolve(false),
    )
    socket.once('connect', () => socket.destroy())
  })
}

async function until(condition: () => boolean | Promise<boolean>, what: string) {
  for (let poll = 0; poll < 200; poll++) {
    if (await condition()) return
    await delay(50)
  }
  assert.fail(`not true within 200 polls: ${what}`)
}

/** Runs `work` on a connection of its own, so that an error affects no later call. */
async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>) {
  const redis = new Redis(url, { retryStrategy: () => null })
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

async function onPostgres<T>(url: string, work: (sql: postgres.Sql) => Promise<T>) {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

test('A private Redis responds, also after a kill and a restart', async (t) => {
  const service = await startRedis()
  t.after(service.stop)
  assert.equal(await onRedis(service.url, (redis) => redis.set('key', 'value')), 'OK')

  service.kill('SIGKILL')
  await until(async () => !(await accepts(service.port)), 'the killed Redis refuses connections')
  await service.restart()
  assert.equal(await onRedis(service.url, (redis) => redis.get('key')), null)
})

test('A private Postgres keeps its data after a SIGKILL and after a restart', async (t) => {
  const service = await startPostgres()
  t.after(service.stop)
  const count = () => onPostgres(service.url, (sql) => sql`SELECT count(*)::int AS n FROM kept`)
  await onPostgres(service.url, (sql) => sql`CREATE TABLE kept AS SELECT generate_series(1, 3)`)

  service.kill('SIGKILL')
  await service.restart()
  assert.deepEqual([...(await count())], [{ n: 3 }])
  await service.restart()
  assert.deepEqual([...(await count())], [{ n: 3 }])
})

test('Stopping a service removes its folder', async () => {
  const service = await startRedis()
  assert.ok(existsSync(service.dir))
  await service.stop()
  assert.ok(!existsSync(service.dir))
  assert.equal(await accepts(service.port), false)
})

test('A paused service can be stopped', async () => {
  const service = await startRedis()
  service.kill('SIGSTOP')
  await service.stop()
  assert.equal(await accepts(service.port), false)
})

test('A service does not start if another server has its port', async (t) => {
  const service = await startRedis()
  t.after(service.stop)
  await assert.rejects(startRedis({ port: service.port }), /port \d+ is taken/)
})

test('The owner of a failed process gets its exit code and its last output', async (t) => {
  const failing = await leash('sh', ['-c', 'echo the reason >&2; exit 3'])
  t.after(() => failing.stop())
  assert.equal(await failing.exited, 3)
  assert.equal(await failing.log(), 'the reason')
})

test('Services end when their owner gets a SIGKILL', async () => {
  const script = `
    const { startRedis } = await import('${new URL('./redis.ts', import.meta.url)}')
    const { startPostgres } = await import('${new URL('./postgres.ts', import.meta.url)}')
    const services = await Promise.all([startRedis(), startPostgres()])
    process.stdout.write(JSON.stringify(services.map(({ port, dir }) => ({ port, dir }))) + '\\n')
  `
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface({ input: owner.stdout }), 'line')
  const services: { port: number; dir: string }[] = JSON.parse(line)
  assert.equal(services.length, 2)
  for (const { port } of services) assert.equal(await accepts(port), true)

  owner.kill('SIGKILL')
  for (const { port, dir } of services) {
    await until(async () => !(await accepts(port)), `port ${port} refuses connections`)
    await until(() => !existsSync(dir), `${dir} is removed`)
  }
})

test('A filter that matches no test file is an error, and no server is searched for', async () => {
  const run = fileURLToPath(new URL('../../run.ts', import.meta.url))
  const runner = spawn(process.execPath, ['--import', 'tsx', run, 'no-such-test'], {
    // With an empty PATH no server can be found, so a search would fail with another message.
    env: { PATH: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [[code], [message]] = await Promise.all([
    once(runner, 'exit'),
    once(runner.stderr.setEncoding('utf8'), 'data'),
  ])
  assert.equal(code, 1)
  assert.equal(message, 'No test file matches no-such-test\n')
})

test('A cloned database equals its template, and can be dropped while in use', async () => {
  const [database, other] = await Promise.all([cloneDatabase(), cloneDatabase()])
  const tables = (url: string) =>
    onPostgres(
      url,
      (sql) => sql`SELECT tablename FROM pg_tables WHERE schemaname IN ('pawl', 'public')`,
    )
  assert.ok((await tables(database.url)).length > 0)

  await onPostgres(database.url, async (sql) => {
    await sql`CREATE TABLE own ()`
    assert.equal((await tables(other.url)).length + 1, (await tables(database.url)).length)
    await database.drop()
  })
  await assert.rejects(tables(database.url), { code: '3D000' })
  await other.drop()
})
