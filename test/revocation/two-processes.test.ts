import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { createPeople, isAccepted, refresh, send, sendOnce } from '../support/revocation/people.ts'
import { type Effect, patch, TRIGGERS } from '../support/revocation/triggers.ts'
import { type ServerProcess, startServer } from '../support/server-process.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

async function assertEffect(server: ServerProcess, pair: TokenPair, effect: Effect): Promise<void> {
  if (effect === 'unaffected') assert.equal(await isAccepted(server, pair), true)
  else await until(async () => !(await isAccepted(server, pair)))
  const response = await refresh(server, pair)
  assert.equal(response.status, effect === 'revoked' ? 401 : 200)
  if (effect === 'revoked') return
  const next = (await response.json()) as TokenPair
  assert.equal(await isAccepted(server, next), true)
  // A refresh does not bring the old access token back.
  if (effect === 'outdated') assert.equal(await isAccepted(server, pair), false)
}

test('Each trigger revokes its sessions at a second process, and no other sessions', async (t) => {
  // A Redis of its own: revoking everything would revoke the sessions of other tests.
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  // A node falls behind on a machine that is busy with other tests.
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const [one, two] = await Promise.all([startServer(t, env), startServer(t, env)])
  const sql = openSql(t, env)
  for (const [name, { pull, status, own, other, others = 'unaffected' }] of Object.entries(
    TRIGGERS,
  )) {
    await t.test(name, async () => {
      const people = await createPeople(one, sql)
      for (const pair of [people.own, people.other, people.stranger, people.admin])
        assert.equal(await isAccepted(two, pair), true)
      assert.equal((await pull(one, people)).status, status)
      await assertEffect(two, people.other, other)
      await assertEffect(two, people.own, own)
      await assertEffect(two, people.stranger, others)
      await assertEffect(two, people.admin, others)
      // At the process that responded, it was in force with the response.
      if (other !== 'unaffected') assert.equal(await isAccepted(one, people.other), false)
    })
  }
})

test('A removed admin role is refused everywhere after the maximum staleness', async (t) => {
  const bound = 1_000
  const env = await environment(t, { REVOCATION_MAX_STALENESS: `${bound}ms` })
  const servers = await Promise.all([startServer(t, env), startServer(t, env)])
  const [one] = servers
  const sql = openSql(t, env)
  const people = await createPeople(one, sql)
  await sql`update users set roles = '{admin}' where id = ${people.user.id}`
  const { accessToken } = await people.user.logIn()

  let over = false
  const responses: { begun: number; status: number }[] = []
  const work = async (server: ServerProcess) => {
    while (!over) {
      const begun = performance.now()
      const { status } = await sendOnce(server, 'GET', '/admin/users', accessToken)
      responses.push({ begun, status })
    }
  }
  const workers = servers.flatMap((server) => [work(server), work(server)])
  await until(() => responses.filter(({ status }) => status === 200).length > 50)
  assert.equal((await patch({ roles: [] })(one, people)).status, 200)
  const acknowledged = performance.now()
  const late = () => responses.filter(({ begun }) => begun > acknowledged + bound)
  await until(() => late().filter(({ status }) => status === 401).length > 50)
  over = true
  await Promise.all(workers)
  // A node that the machine stopped for longer than the bound responds with 503.
  const accepted = late().filter(({ status }) => status !== 401 && status !== 503)
  assert.deepEqual(accepted, [])
  // A change asks the stores directly and does not depend on the bound.
  for (const server of servers) {
    const path = `/admin/users/${people.user.id}`
    assert.equal((await send(server, 'PATCH', path, accessToken, { roles: ['admin'] })).status, 401)
  }
})
