import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { createPeople, isAccepted, refresh, send, sendOnce } from '../support/revocation/people.ts'
import { TRIGGERS } from '../support/revocation/triggers.ts'
import { startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const NAMES = ['password change', 'disabling the user', 'deleting the user', 'ending all sessions']

test('Revoked sessions stay revoked when Redis loses everything', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url })
  const one = await startServer(t, env)
  const sql = openSql(t, env)
  const revoked: TokenPair[] = []
  for (const name of NAMES) {
    const people = await createPeople(one, sql)
    await TRIGGERS[name]?.pull(one, people)
    revoked.push(people.other)
  }
  // This Redis has no persistence, so it comes back empty.
  await redis.restart()
  const late = await startServer(t, env)
  for (const server of [one, late]) {
    await until(async () => (await sendOnce(server, 'GET', '/health/ready')).status === 200)
    for (const pair of revoked) {
      assert.equal(await isAccepted(server, pair), false)
      assert.equal((await refresh(server, pair)).status, 401)
    }
  }
})

test('A revocation committed while Redis hangs is in force when Redis is back', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const { own, other } = await createPeople(one, openSql(t, env))
  redis.kill('SIGSTOP')
  const response = await sendOnce(one, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(response.status, 503)
  redis.kill('SIGCONT')
  await until(async () => !(await isAccepted(two, other)))
  await until(async () => (await refresh(two, other)).status === 401)
  assert.equal(await isAccepted(two, own), true)
  // The client can repeat the request.
  const again = await send(two, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(again.status, 204)
  assert.equal((await refresh(one, own)).status, 200)
})
