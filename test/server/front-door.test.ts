import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { API_HEADERS } from '../../src/http/constant-headers.ts'
import { cleanUp } from '../support/clean-up.ts'
import { PASSWORD } from '../support/credentials.ts'
import { type Listening, listen } from '../support/listening-server.ts'
import { type Connection, openConnection, request } from '../support/raw-http.ts'
import { expectRefusals, type Refusal } from '../support/refusals.ts'

const LOGIN = JSON.stringify({ email: 'nobody@example.com', password: PASSWORD })
const HOST = 'Host: auth.example.com'

async function open(t: TestContext, { url }: Listening): Promise<Connection> {
  const connection = await openConnection(url)
  cleanUp(t, async () => connection.destroy())
  return connection
}

test('every response of the server has the security headers', async (t) => {
  const server = await listen(t, undefined, { PLAYGROUND: 'true' })
  const cases: [status: number, bytes: string | Buffer][] = [
    [200, request('GET', '/health/live')],
    [200, request('GET', '/openapi.json')],
    [200, request('GET', '/.well-known/oauth-authorization-server')],
    [404, request('GET', '/no/such/path')],
    [404, request('DELETE', '/health/live')],
    [400, request('GET', '/%zz')],
    [414, request('GET', `/admin/users/${'x'.repeat(200)}`)],
    [415, request('POST', '/auth/login', { 'Content-Type': 'text/plain' }, 'x')],
    [401, request('GET', '/auth/me', { Expect: 'nonsense' })],
    [400, 'GET /auth/me HTTP/1.1\r\n\r\n'],
    [400, 'no HTTP at all\r\n\r\n'],
    [431, request('GET', '/', { 'X-Y': 'x'.repeat(100_000) })],
    [400, `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ]
  for (const [status, bytes] of cases) {
    const connection = await open(t, server)
    connection.send(bytes)
    const response = await connection.response()
    assert.equal(response.status, status, response.body)
    for (const [name, value] of Object.entries(API_HEADERS))
      assert.equal(response.headers[name], value, `${name} of ${bytes.toString().slice(0, 80)}`)
  }
  // The page may run scripts of its own, and all other headers are the same.
  const connection = await open(t, server)
  connection.send(request('GET', '/'))
  const { headers } = await connection.response()
  assert.match(headers['content-security-policy'] ?? '', /script-src 'self'/)
  const { 'content-security-policy': _, ...others } = API_HEADERS
  for (const [name, value] of Object.entries(others)) assert.equal(headers[name], value, name)
})

test('a request with two Host lines or a malformed Host is refused', async (t) => {
  const server = await listen(t)
  const login = (...hosts: string[]) =>
    [
      'POST /auth/login HTTP/1.1',
      ...hosts.map((host) => `Host: ${host}`),
      'Content-Type: application/json',
      `Content-Length: ${LOGIN.length}`,
      '',
      LOGIN,
    ].join('\r\n')
  const malformed = [
    'auth.example.com, other.example.com',
    'auth.example.com,other.example.com',
    'auth.example.com other.example.com',
    'user@auth.example.com',
    'auth.example.com/path',
    'auth.example.com?query',
    'auth.example.com#fragment',
    'http://auth.example.com',
    'auth.example.com:80:80',
    'auth.example.com:port',
    'auth.example.com:123456',
    'auth.example.com\\',
    '<script>',
    '"auth.example.com"',
    '[::1',
    '::1',
    '[::1]x',
    '[::g]',
    '[fe80::1%25eth0]',
    '[127.0.0.1]',
    'auth.\u00e4xample.com',
  ]
  const twice = ['auth.example.com', 'other.example.com', ''].map((second) =>
    login('auth.example.com', second),
  )
  const old = `GET /auth/me HTTP/1.0\r\n${HOST}\r\n${HOST}\r\n\r\n`
  await expectRefusals(
    server,
    [...malformed.map((host) => login(host)), ...twice, login(), old].map(
      (bytes, index): Refusal => ({ name: `case ${index}`, bytes, codes: ['BAD_REQUEST'] }),
    ),
  )
  const right = [
    'auth.example.com',
    'AUTH.example.com:65535',
    '127.0.0.1:3000',
    '[::1]:3000',
    '[::1]',
  ]
  await expectRefusals(
    server,
    [...right, 'localhost', 'under_score.internal', 'auth.example.com.', 'auth:', ''].map(
      (host): Refusal => ({
        name: host,
        bytes: login(host),
        codes: ['AUTH_INVALID_CREDENTIALS'],
        lives: true,
      }),
    ),
  )
})

test('headers and bodies that are too slow end at the limit that is set', async (t) => {
  const quick = await listen(t, undefined, { REQUEST_TIMEOUT: '1s' })
  // If a limit were multiplied or rounded up to Node's own, this server would respond first.
  const slow = await listen(t, undefined, { REQUEST_TIMEOUT: '8s' })
  const partial = {
    nothing: '',
    headers: `POST /auth/login HTTP/1.1\r\n${HOST}\r\nContent-Ty`,
    body: [
      'POST /auth/login HTTP/1.1',
      HOST,
      'Content-Type: application/json',
      `Content-Length: ${LOGIN.length + 1}`,
      '',
      LOGIN,
    ].join('\r\n'),
  }
  const later = await open(t, slow)
  later.send(partial.headers)
  const first = later.response().then(({ status }) => `the other server responds with ${status}`)
  await Promise.all(
    Object.entries(partial).map(async ([name, bytes]) => {
      const connection = await open(t, quick)
      connection.send(bytes)
      const own = connection.response().then(({ status, body }) => `${status} ${body}`)
      const winner = await Promise.race([own, first])
      assert.match(winner, /^408 .*"code":"REQUEST_TIMEOUT"/, name)
      await connection.ended()
    }),
  )
  first.catch(() => {})
  // A connection that serves requests in time is not affected by how long it is open.
  const idle = await open(t, quick)
  for (let requests = 0; requests < 2; requests++) {
    idle.send(request('GET', '/health/live'))
    assert.equal((await idle.response()).status, 200)
  }
})
