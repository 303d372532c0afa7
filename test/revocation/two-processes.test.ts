import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { cast, isAccepted, refresh, send, sendOnce } from '../support/revocation/people.ts'
import { type Fate, patch, TRIGGERS } from '../support/revocation/triggers.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

async function assertFate(server: ServerProcess, pair: TokenPair, fate: Fate): Promise<void> {
  if (fate === 'goes on') assert.equal(await isAccepted(server, pair), true)
  else await until(async () => !(await isAccepted(server, pair)))
  const answer = await refresh(server, pair)
  assert.equal(answer.status, fate === 'ends' ? 401 : 200)
  if (fate === 'ends') return
  const next = (await answer.json()) as TokenPair
  assert.equal(await isAccepted(server, next), true)
  // Whatever the refresh was told, the access token from before stays dead.
  if (fate === 'refreshes') assert.equal(await isAccepted(server, pair), false)
}

test('each way to end sessions is in force at a second process, for those it is about and no others', async (t) => {
  // Of its own: to revoke everything ends the sessions of all tests whose nodes share a Redis.
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  // On a machine that is busy with other tests a node falls behind.
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const sql = openSql(t, env)
  for (const [name, { pull, status, own, other, others = 'goes on' }] of Object.entries(TRIGGERS)) {
    await t.test(name, async () => {
      const people = await cast(one, sql)
      for (const pair of [people.own, people.other, people.stranger, people.admin])
        assert.equal(await isAccepted(two, pair), true)
      assert.equal((await pull(one, people)).status, status)
      await assertFate(two, people.other, other)
      await assertFate(two, people.own, own)
      await assertFate(two, people.stranger, others)
      await assertFate(two, people.admin, others)
      // Where it was done it is in force with the answer.
      if (other !== 'goes on') assert.equal(await isAccepted(one, people.other), false)
    })
  }
})

test('an administrator who loses the role while he is at work is served nowhere past the bound', async (t) => {
  const bound = 1_000
  const env = await environment(t, { REVOCATION_MAX_STALENESS: `${bound}ms` })
  const servers = await Promise.all([startServer(t, env), startServer(t, env)])
  const [one] = servers
  const sql = openSql(t, env)
  const people = await cast(one, sql)
  await sql`update users set roles = '{admin}' where id = ${people.user.id}`
  const { accessToken } = await people.user.logIn()

  let over = false
  const answers: { begun: number; status: number }[] = []
  const work = async (server: ServerProcess) => {
    while (!over) {
      const begun = performance.now()
      const { status } = await sendOnce(server, 'GET', '/admin/users', accessToken)
      answers.push({ begun, status })
    }
  }
  const workers = servers.flatMap((server) => [work(server), work(server)])
  await until(() => answers.filter(({ status }) => status === 200).length > 50)
  assert.equal((await patch({ roles: [] })(one, people)).status, 200)
  const answered = performance.now()
  const late = () => answers.filter(({ begun }) => begun > answered + bound)
  await until(() => late().filter(({ status }) => status === 401).length > 50)
  over = true
  await Promise.all(workers)
  // 503 where a node was stopped for longer than the bound, and knows that it cannot know.
  const served = late().filter(({ status }) => status !== 401 && status !== 503)
  assert.deepEqual(served, [])
  // What changes something asks the stores, and waits for no bound.
  for (const server of servers) {
    const path = `/admin/users/${people.user.id}`
    assert.equal((await send(server, 'PATCH', path, accessToken, { roles: ['admin'] })).status, 401)
  }
})
