import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { cast, isAccepted, refresh, send, sendOnce } from '../support/revocation/people.ts'
import { TRIGGERS } from '../support/revocation/triggers.ts'
import { startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

test('what is dead stays dead when Redis has lost everything, and at a node that starts later', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url })
  const one = await startServer(t, env)
  const sql = openSql(t, env)
  const dead: TokenPair[] = []
  for (const name of ['a change of the password', 'disabling', 'deleting', 'ending all'] as const) {
    const people = await cast(one, sql)
    await TRIGGERS[name]?.pull(one, people)
    dead.push(people.other)
  }
  // Without persistence: it comes back empty.
  await redis.restart()
  const late = await startServer(t, env)
  for (const server of [one, late]) {
    await until(async () => (await sendOnce(server, 'GET', '/health/ready')).status === 200)
    for (const pair of dead) {
      assert.equal(await isAccepted(server, pair), false)
      assert.equal((await refresh(server, pair)).status, 401)
    }
  }
})

test('what was committed while Redis could not be told is in force when it can be', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const { own, other } = await cast(one, openSql(t, env))
  redis.kill('SIGSTOP')
  const answer = await sendOnce(one, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(answer.status, 503)
  redis.kill('SIGCONT')
  await until(async () => !(await isAccepted(two, other)))
  await until(async () => (await refresh(two, other)).status === 401)
  assert.equal(await isAccepted(two, own), true)
  // To repeat it does no harm.
  const again = await send(two, 'DELETE', '/auth/sessions?except=current', own.accessToken)
  assert.equal(again.status, 204)
  assert.equal((await refresh(one, own)).status, 200)
})
