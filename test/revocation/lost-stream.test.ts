import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { sendOnce } from '../support/revocation/people.ts'
import { startServer } from '../support/server-process.ts'
import { signUpAt } from '../support/server-requests.ts'
import { startRedis } from '../support/services/redis.ts'
import { until } from '../support/until.ts'

const STREAM = '{pawl:revocations}'

/** What may happen to the stream while a node does not read it. */
const LOSSES: Record<string, { lose(operator: Redis): Promise<unknown>; rounds: number }> = {
  'deleting the stream': { lose: (operator) => operator.del(STREAM), rounds: 20 },
  'removing all its entries': {
    lose: (operator) => operator.xtrim(STREAM, 'MAXLEN', 0),
    rounds: 3,
  },
  'removing its last entry': {
    async lose(operator) {
      const [last] = await operator.xrevrange(STREAM, '+', '-', 'COUNT', 1)
      await operator.xdel(STREAM, last?.[0] ?? '')
    },
    rounds: 3,
  },
}

/** Returns the ids of the connections on which nodes read the stream, with their flags. */
async function readersOf(operator: Redis): Promise<Map<string, string>> {
  const clients = String(await operator.client('LIST')).split('\n')
  const readers = clients.filter((line) => line.includes(' name=pawl-feed '))
  const fieldOf = (line: string, name: string) =>
    new RegExp(`(?:^| )${name}=(\\S*)`).exec(line)?.[1] ?? ''
  return new Map(readers.map((line) => [fieldOf(line, 'id'), fieldOf(line, 'flags')]))
}

test('A node that was held up while the stream lost entries learns of them', async (t) => {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { REDIS_URL: redis.url, REVOCATION_MAX_STALENESS: '1m' })
  const two = await startServer(t, env)
  const one = await startServer(t, env)
  const [reader = ''] = (await readersOf(operator)).keys()
  for (const [name, { lose, rounds }] of Object.entries(LOSSES)) {
    await t.test(name, async () => {
      for (let round = 0; round < rounds; round++) {
        const { accessToken, refreshToken } = await signUpAt(one.url)
        two.child.kill('SIGSTOP')
        // Redis would hand the entry to a read that still waits.
        await until(async () => !(await readersOf(operator)).get(reader)?.includes('b'))
        const logout = await sendOnce(one, 'POST', '/auth/logout', undefined, { refreshToken })
        assert.equal(logout.status, 204)
        await lose(operator)
        two.child.kill('SIGCONT')
        await until(
          async () => (await sendOnce(two, 'GET', '/auth/me', accessToken)).status === 401,
        )
      }
    })
  }
})
