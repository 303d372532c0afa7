import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanUp, environment, newEmail, PASSWORD } from '../helper.ts'
import { spawnServer, startServer } from '../server-process.ts'
import { startTlsRedis } from '../services/redis.ts'

test('TLS to Redis: by an authority that the process was told of, and by no other', async (t) => {
  const redis = await startTlsRedis()
  if (!redis) return t.skip('no openssl to make a certificate with')
  cleanUp(t, () => redis.stop())
  const env = await environment(t, { REDIS_URL: redis.url.replace('://', '://:a-password@') })

  const server = await startServer(t, { ...env, NODE_EXTRA_CA_CERTS: redis.certificate })
  const response = await fetch(`${server.url}/auth/signup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: newEmail(), password: PASSWORD }),
  })
  assert.equal(response.status, 201)

  const refused = spawnServer(t, env)
  assert.equal(await refused.ended, 1)
  assert.match(
    refused.output(),
    new RegExp(`Redis at 127.0.0.1:${redis.port}: cannot be reached: self-signed`),
  )
  assert.ok(!refused.output().includes('a-password'))
})
