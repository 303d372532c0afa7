import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
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

test('The ACL rules of the guide are sufficient', async (t) => {
  const redis = await startRedis()
  cleanUp(t, () => redis.stop())
  await restrict(redis.url)
  const env = await environment(t, { REDIS_URL: withUser(redis.url) })
  await assertServes(await startNode(t, env), await startNode(t, env))
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
  await assertServes(await startNode(t, env), await startNode(t, env))
})
