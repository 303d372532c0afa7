import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { spawnServer, startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'
import { startTlsRedis } from '../support/services/redis.ts'

test('TLS to Redis requires a certificate authority that the process was given', async (t) => {
  const redis = await startTlsRedis()
  if (!redis) return t.skip('there is no openssl to create a certificate')
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url.replace('://', '://:a-password@') })

  const server = await startServer(t, { ...env, NODE_EXTRA_CA_CERTS: redis.certificate })
  assert.ok((await signUpAt(server.url)).accessToken)

  const refused = spawnServer(t, env)
  assert.equal(await refused.ended, 1)
  assert.match(
    refused.output(),
    new RegExp(`Redis at 127.0.0.1:${redis.port}: cannot be reached: self-signed`),
  )
  assert.ok(!refused.output().includes('a-password'))
})
