import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { callOnce, logIn, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { adminToken } from '../support/events/scenarios.ts'
import { assertServes, startNode } from '../support/nodes.ts'
import { startCluster } from '../support/services/cluster.ts'
import { startRedis } from '../support/services/redis.ts'

/** Returns the ACL rules that the guide documents. */
async function documentedUser(): Promise<string[]> {
  const guide = await readFile(new URL('../../docs/guides/redis.md', import.meta.url), 'utf8')
  const [, rules = ''] = /^user (pawl on [^`]+)/m.exec(guide) ?? []
  return rules.trim().split(/\s+/)
}

const withUser = (url: string) => url.replaceAll('redis://', 'redis://pawl:password@')

async function restrict(url: string): Promise<void> {
  const operator = new Redis(url)
  try {
    await operator.call('ACL', 'SETUSER', ...(await documentedUser()))
    await operator.call('ACL', 'SETUSER', 'default', 'off')
  } finally {
    operator.disconnect()
  }
}

/** Makes every change that revokes several sessions at once. None of them may be refused. */
async function assertRevokesUsers(t: TestContext, env: Env, app: FastifyInstance): Promise<void> {
  const admin = await adminToken(app, openSql(t, env))
  const user = async () => {
    const { email } = await signUp(app)
    const { accessToken } = (await logIn(app, email)).json()
    const { id } = (await callOnce(app, accessToken, 'GET', '/auth/me')).json()
    return { accessToken, url: `/admin/users/${id}` }
  }
  const changed = { currentPassword: PASSWORD, newPassword: `${PASSWORD} and another` }
  const { accessToken } = await user()
  const responses = [
    await callOnce(app, accessToken, 'POST', '/auth/password', changed),
    await callOnce(app, admin, 'DELETE', `${(await user()).url}/sessions`),
    await callOnce(app, admin, 'PATCH', (await user()).url, { status: 'disabled' }),
    await callOnce(app, admin, 'DELETE', (await user()).url),
  ]
  for (const { statusCode, body } of responses) assert.ok(statusCode < 300, `${statusCode} ${body}`)
}

test('The ACL rules of the guide are sufficient', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  await restrict(redis.url)
  const env = await environment(t, { REDIS_URL: withUser(redis.url) })
  const [one, other] = [await startNode(t, env), await startNode(t, env)]
  await assertServes(one, other)
  await assertRevokesUsers(t, env, one)
  await assert.rejects(
    startNode(t, { ...env, REDIS_URL: redis.url }),
    /cannot be reached: NOAUTH|NOPERM|WRONGPASS/,
  )
})

test('The ACL rules of the guide are sufficient in a cluster', async (t) => {
  const redis = await startCluster()
  cleanUp(t, () => redis.stop())
  for (const { url } of redis.nodes) await restrict(url)
  const env = await environment(t, { REDIS_URL: withUser(redis.url) })
  const [one, other] = [await startNode(t, env), await startNode(t, env)]
  await assertServes(one, other)
  await assertRevokesUsers(t, env, one)
})
