import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signUp } from '../support/app-requests.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

test('refreshes of one session from one device share an event until it is written', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  let { refreshToken } = await signUp(app)
  const refreshFrom = async (agent: string) => {
    const headers = { 'user-agent': agent }
    const payload = { refreshToken }
    const response = await app.inject({ method: 'POST', url: '/auth/refresh', headers, payload })
    refreshToken = response.json().refreshToken
  }
  const agents = [...Array(20).fill('one'), 'other', 'one']
  for (const agent of agents) await refreshFrom(agent)
  await app.close()
  const rows = await openSql(t, env)`
    select user_agent, detail from security_events where type = 'refresh' order by id`
  const timesOf = (agent: string) =>
    rows
      .filter((row) => row.user_agent === agent)
      .reduce((sum, { detail }) => sum + (detail.times ?? 1), 0)
  assert.deepEqual([timesOf('one'), timesOf('other')], [21, 1])
  assert.ok(rows.length < agents.length, 'no event was shared')
})
