import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { startServer } from '../support/server-process.ts'

/** Returns what a server logs at this level while a user opens the page, signs up and refreshes. */
async function logAt(t: TestContext, level: string) {
  const env = await environment(t, { LOG_LEVEL: level, PLAYGROUND: 'true' })
  const server = await startServer(t, env)
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    assert.ok(response.ok)
    return (await response.json()) as { accessToken: string; refreshToken: string }
  }
  for (const path of ['/', '/playground/app.js', '/playground/settings.json'])
    assert.equal((await fetch(server.url + path)).status, 200)
  const { refreshToken } = await post('/auth/signup', { email: newEmail(), password: PASSWORD })
  const { accessToken } = await post('/auth/refresh', { refreshToken })
  await fetch(`${server.url}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } })
  await server.printed('"path":"/auth/me"')
  const lines = server
    .output()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return {
    events: lines.flatMap(({ event, msg }) => (msg === 'security event' ? event : [])),
    paths: new Set(lines.flatMap(({ req }) => req?.path ?? [])),
  }
}

test('at the default level, the log has neither refreshes nor files of the page', async (t) => {
  const { events, paths } = await logAt(t, 'info')
  assert.deepEqual(events, ['signup', 'login_succeeded'])
  assert.deepEqual(paths, new Set(['/auth/signup', '/auth/refresh', '/auth/me']))
})

test('at the level debug, the log has every refresh and every request', async (t) => {
  const { events, paths } = await logAt(t, 'debug')
  assert.deepEqual(events, ['signup', 'login_succeeded', 'refresh'])
  for (const path of ['/', '/playground/app.js', '/playground/settings.json'])
    assert.ok(paths.has(path), path)
})
