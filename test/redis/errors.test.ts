import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { sendOnce } from '../support/revocation/people.ts'
import { startServer } from '../support/server-process.ts'
import { pairOf, post, signUpAt } from '../support/server-requests.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const KEY = 'pawl:{*}'

interface Fault {
  kind: string
  reason: string
  begin(operator: Redis): Promise<unknown>
  end(operator: Redis): Promise<unknown>
}

const REFUSED = 'Redis refuses a command: check the password and the ACL'
const FAULTS: Record<string, Fault> = {
  'a command that the ACL forbids': {
    kind: 'refused',
    reason: REFUSED,
    begin: (operator) => operator.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval'),
    end: (operator) => operator.call('ACL', 'SETUSER', 'default', '+evalsha', '+eval'),
  },
  'a command that the ACL forbids in a script': {
    kind: 'refused',
    reason: REFUSED,
    begin: (operator) => operator.call('ACL', 'SETUSER', 'default', '-hset'),
    end: (operator) => operator.call('ACL', 'SETUSER', 'default', '+hset'),
  },
  'a full Redis': {
    kind: 'full',
    reason: 'Redis is full: it refuses writes above maxmemory',
    begin: (operator) => operator.config('SET', 'maxmemory', '1mb'),
    end: (operator) => operator.config('SET', 'maxmemory', '0'),
  },
  'a replica': {
    kind: 'unavailable',
    reason: 'Redis is unavailable',
    begin: (operator) => operator.replicaof('127.0.0.1', 1),
    end: (operator) => operator.replicaof('NO', 'ONE'),
  },
  'a key of another type': {
    kind: 'script',
    reason: 'a Redis script or command failed',
    async begin(operator) {
      for (const key of await operator.keys(KEY)) await operator.set(key, 'no hash')
    },
    async end(operator) {
      for (const key of await operator.keys(KEY)) await operator.del(key)
    },
  },
}

test('The log and the metrics tell the kinds of Redis errors apart', async (t) => {
  const redis = await startRedis({ flags: ['--maxmemory-policy', 'noeviction'] })
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { REDIS_URL: redis.url })
  const server = await startServer(t, env)
  let { refreshToken } = await signUpAt(server.url)
  const refresh = () => sendOnce(server, 'POST', '/auth/refresh', undefined, { refreshToken })
  const count = async (kind: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const line = new RegExp(`^pawl_redis_errors_total\\{kind="${kind}"\\} (\\d+)$`, 'm')
    return Number(line.exec(text)?.[1] ?? 0)
  }
  for (const [name, { kind, reason, begin, end }] of Object.entries(FAULTS)) {
    await t.test(name, async () => {
      const before = await count(kind)
      const logged = server.output().length
      await begin(operator)
      const { status } = await refresh()
      assert.equal(status, 503)
      const isLogged = () => server.output().slice(logged).includes(`"reason":"${reason}"`)
      await until(isLogged)
      assert.ok((await count(kind)) > before)
      await end(operator)
      // A token that is new again, because only a rotation writes.
      const next = await pairOf(await post(server.url, '/auth/refresh', { refreshToken }))
      refreshToken = next.refreshToken
    })
  }
})
