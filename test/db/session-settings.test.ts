import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const SETTINGS = {
  datestyle: 'SQL, DMY',
  timezone: 'Asia/Kolkata',
  intervalstyle: 'sql_standard',
}

for (const [name, value] of Object.entries(SETTINGS))
  test(`Sessions are listed and re-opened if the database sets ${name}`, async (t) => {
    const redis = await startRedis()
    cleanUp(t, () => redis.stop())
    const env = await environment(t, { REDIS_URL: redis.url })
    const sql = openSql(t, env)
    const database = new URL(env.DATABASE_URL ?? '').pathname.slice(1)
    await sql.unsafe(`alter database ${database} set ${name} = '${value}'`)
    const app = await build(t, env)
    const { accessToken, refreshToken } = await signUp(app)

    const list = await call(app, accessToken, 'GET', '/auth/sessions')
    assert.equal(list.statusCode, 200, list.body)
    const [session] = list.json().sessions
    const [row] = await sql`
      select round(extract(epoch from created_at) * 1000)::float8 as created from sessions`
    assert.equal(Date.parse(session.createdAt), row?.created)

    // A restart of the private Redis loses all that is in it.
    await redis.restart()
    await until(async () => (await app.inject('/health/ready')).statusCode === 200)
    const refreshed = await refresh(app, refreshToken)
    assert.equal(refreshed.statusCode, 200, refreshed.body)
  })
