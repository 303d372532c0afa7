import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { openConnection, request } from '../support/raw-http.ts'
import { startServer } from '../support/server-process.ts'

const FORGED = '{"level":50,"msg":"forged"}'

test('nothing that a client sends makes a line of the log', async (t) => {
  const env = await environment(t, { LOG_LEVEL: 'trace', TRUST_PROXY: 'loopback' })
  const server = await startServer(t, env)
  const json = { 'Content-Type': 'application/json' }
  const breaks = ['\n', '\r\n', '\u0085', '\u2028', '\u001b[2J'].map((text) => text + FORGED)
  const requests = breaks.flatMap((text) => {
    const login = { email: newEmail(), password: PASSWORD }
    // A header cannot have line breaks. The other text is sent as bytes of UTF-8.
    const inHeader = `\x85${Buffer.from(FORGED).toString('latin1')}`
    return [
      request('GET', `/nowhere/${encodeURIComponent(text)}?q=${encodeURIComponent(text)}`),
      request('GET', '/auth/me', { 'User-Agent': inHeader, 'X-Forwarded-For': inHeader }),
      request('POST', '/auth/login', json, JSON.stringify({ ...login, email: text })),
      request('POST', '/auth/login', json, JSON.stringify({ ...login, [text]: text })),
      request('POST', '/auth/refresh', json, JSON.stringify({ refreshToken: text })),
    ]
  })
  for (const bytes of requests) {
    const connection = await openConnection(server.url)
    connection.send(bytes)
    await connection.response()
    connection.destroy()
  }
  server.child.kill('SIGTERM')
  await server.ended
  const lines = server
    .output()
    .split(/[\n\r\u0085\u2028\u2029]/)
    .filter(Boolean)
  assert.ok(lines.length > requests.length, String(lines.length))
  for (const line of lines) {
    const { time, msg } = JSON.parse(line)
    assert.ok(Math.abs(time - Date.now()) < 3_600_000, 'milliseconds since 1970, which are UTC')
    assert.notEqual(msg, 'forged')
  }
})
