import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListenedEvent } from '../../src/index.ts'
import { call, logInOnce, refresh, signUp } from '../support/app-requests.ts'
import { openSql } from '../support/database.ts'
import { buildHost } from '../support/embedded-host.ts'
import { until } from '../support/until.ts'

test('listeners are told of events after their commit', async (t) => {
  const { host, env } = await buildHost(t)
  const sql = openSql(t, env)
  const heard: ListenedEvent[] = []
  const unstored: string[] = []
  for (const type of ['signup', 'login_succeeded', 'refresh', 'admin_action'] as const)
    host.pawl.on(type, async (event) => {
      heard.push(event)
      const [row] = await sql`
        select 1 from security_events where type = ${type} and user_id = ${event.userId ?? ''}`
      if (!row) unstored.push(type)
    })
  const { refreshToken, sessionId } = await signUp(host)
  await refresh(host, refreshToken)
  const id = crypto.randomUUID()
  await host.pawl.users.put({ id })
  await until(async () => heard.length >= 4)
  const byType = new Map(heard.map((event) => [event.type, event]))
  assert.deepEqual([...byType.keys()].sort(), [
    'admin_action',
    'login_succeeded',
    'refresh',
    'signup',
  ])
  assert.equal(byType.get('refresh')?.sessionId, sessionId)
  assert.equal(byType.get('login_succeeded')?.ip, '127.0.0.1')
  const action = byType.get('admin_action')
  assert.deepEqual(
    [action?.userId, action?.detail],
    [id, { action: 'user_created', via: 'application' }],
  )
  assert.throws(() => Object.assign(action ?? {}, { userId: 'other' }), TypeError)
  assert.deepEqual(unstored, [])
})

test('a listener that fails or hangs harms nothing, and a removed one is not called', async (t) => {
  const { host } = await buildHost(t)
  const heard: string[] = []
  host.pawl.on('login_failed', () => {
    throw new Error('broken')
  })
  host.pawl.on('login_failed', () => Promise.reject(new Error('broken')))
  host.pawl.on('login_failed', () => new Promise(() => {}))
  const stop = host.pawl.on('login_failed', () => {
    heard.push('removed')
  })
  stop()
  host.pawl.on('login_failed', ({ detail }) => {
    heard.push(detail.reason)
  })
  const { email, accessToken } = await signUp(host)
  for (let time = 0; time < 3; time++) {
    assert.equal((await logInOnce(host, email, 'not the password')).statusCode, 401)
    await until(async () => heard.length === time + 1)
  }
  assert.deepEqual(heard, ['wrong_password', 'wrong_password', 'wrong_password'])
  assert.equal((await call(host, accessToken, 'GET', '/auth/me')).statusCode, 200)
  assert.throws(() => host.pawl.on('gossip' as never, () => {}), /no event type gossip/)
})
