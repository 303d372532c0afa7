import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'
import { startMonitor } from '../support/sessions/redis-monitor.ts'

/** What every node sends all the time to receive revocations. */
const FEED_COMMANDS = ['xread', 'getex', 'time']

test('A refresh sends one command to Redis', async (t) => {
  const own = await startRedis()
  cleanUp(t, () => own.stop())
  const app = await build(t, { REDIS_URL: own.url, RATE_LIMIT: 'on' })
  let { refreshToken } = await signUp(app)
  // The first use of a script sends the whole script.
  refreshToken = (await refresh(app, refreshToken)).json().refreshToken

  const client = new Redis(own.url)
  cleanUp(t, async () => client.disconnect())
  await client.ping()
  const monitor = await startMonitor(own.url)
  cleanUp(t, async () => monitor.stop())
  for (let i = 0; i < 5; i++) {
    refreshToken = (await refresh(app, refreshToken)).json().refreshToken
  }
  await Promise.all([monitor.waitFor('done'), client.echo('done')])
  const commands = monitor.commands.filter((command) => !FEED_COMMANDS.includes(command))
  assert.deepEqual(commands, [...Array(5).fill('evalsha'), 'echo'])
})
