import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'

/** What a node asks all the time, to hear of revocations. */
const TAILING = ['xread', 'getex', 'time']

test('a refresh is one command to Redis', async (t) => {
  const own = await startRedis()
  cleanUp(t, () => own.stop())
  const app = await build(t, { REDIS_URL: own.url, RATE_LIMIT: 'on' })
  let { refreshToken } = await signUp(app)
  // The first use of a script sends it whole.
  refreshToken = (await refresh(app, refreshToken)).json().refreshToken

  const observer = new Redis(own.url)
  const monitor = await observer.monitor()
  cleanUp(t, async () => Promise.all([observer.disconnect(), monitor.disconnect()]))
  const seen: string[] = []
  const done = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, [command = '', text]: string[], source: string) => {
      // What a script calls inside Redis costs no round trip.
      if (source === 'lua') return
      if (text === 'done') resolve()
      else if (!TAILING.includes(command.toLowerCase())) seen.push(command.toLowerCase())
    })
  })
  for (let i = 0; i < 5; i++) {
    refreshToken = (await refresh(app, refreshToken)).json().refreshToken
  }
  await observer.echo('done')
  await done
  assert.deepEqual(seen, Array(5).fill('evalsha'))
})
