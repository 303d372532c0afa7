import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import { PASSWORD } from '../support/credentials.ts'
import { listen } from '../support/listening-server.ts'
import { openConnection, request } from '../support/raw-http.ts'
import { assertProblem, expectRefusals, type Refusal } from '../support/refusals.ts'

const GET = ['/.well-known/jwks.json', '/health/live', '/health/ready', '/openapi.json']
const POST = ['/auth/signup', '/auth/login', '/auth/refresh', '/auth/logout', '/oauth/revoke']
const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'SEARCH',
  'PURGE',
]

function all(cases: Record<string, string | Buffer>, ...codes: ErrorCode[]): Refusal[] {
  return Object.entries(cases).map(([name, bytes]) => ({ name, bytes, codes }))
}

const LOGIN = JSON.stringify({ email: 'nobody@example.com', password: PASSWORD })
/** The size of that body as a chunk states it. */
const LENGTH = LOGIN.length.toString(16)
const head = (...lines: string[]) => `POST /auth/login HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
const HOST = 'Host: auth.example.com'
const TYPE = 'Content-Type: application/json'
const CHUNKED = 'Transfer-Encoding: chunked'

test('an unknown path, or a known path with another method, is not found', async (t) => {
  const server = await listen(t)
  const paths = [
    '/',
    '/auth',
    '/auth/',
    '/auth/me/',
    '//auth/me',
    '/auth/login/x',
    '/AUTH/me',
    '/admin',
    '*',
  ]
  const odd = [
    '/auth/me%2f',
    '/auth/login%00',
    '/auth;/me',
    `/${'x'.repeat(10_000)}`,
    '/%2e%2e/etc/passwd',
  ]
  const known = [
    ...GET.map((path) => ({ path, methods: ['GET'] })),
    ...POST.map((path) => ({ path, methods: ['POST'] })),
    { path: '/auth/me', methods: ['GET', 'DELETE'] },
  ]
  await expectRefusals(server, [
    ...[...paths, ...odd].flatMap((path) => [
      {
        name: `GET ${path.slice(0, 60)}`,
        bytes: request('GET', path),
        codes: ['NOT_FOUND' as const],
      },
      {
        name: `POST ${path.slice(0, 60)}`,
        bytes: request('POST', path, { 'Content-Type': 'text/plain' }, 'x'),
        codes: ['NOT_FOUND' as const],
      },
    ]),
    ...known.flatMap(({ path, methods }) =>
      METHODS.filter((method) => !methods.includes(method)).map((method): Refusal => {
        return { name: `${method} ${path}`, bytes: request(method, path), codes: ['NOT_FOUND'] }
      }),
    ),
  ])
})

test('a path with broken percent-encoding is refused', async (t) => {
  const server = await listen(t)
  const targets = [
    '/%',
    '/%zz',
    '/auth/%zz',
    '/auth/me%',
    '/auth/%c3%28',
    '/auth/%ff',
    '/health/%e0%80',
    '/%u0000',
  ]
  await expectRefusals(
    server,
    ['GET', 'POST'].flatMap((method) =>
      targets.map((target): Refusal => {
        return {
          name: `${method} ${target}`,
          bytes: request(method, target),
          codes: ['BAD_REQUEST'],
        }
      }),
    ),
  )
})

test('bytes that are not HTTP get an HTTP response, and it arrives', async (t) => {
  const server = await listen(t)
  const line = (text: string) => `${text}\r\n${HOST}\r\n\r\n`
  const cases = {
    words: 'hello, is anybody there?\r\n\r\n',
    'a TLS handshake': Buffer.from('160301020001000001fc0303', 'hex'),
    zeros: Buffer.alloc(1_000),
    'random bytes': Buffer.from('fffefdfc808182a0b0c0d0e0f0', 'hex'),
    'a megabyte of garbage': Buffer.alloc(1_048_576, 0xa5),
    'an SSH client': 'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/9.9': line('GET /auth/me HTTP/9.9'),
    'no method': line('/auth/me HTTP/1.1'),
    'a method in lower case': line('get /auth/me HTTP/1.1'),
    'an unknown method': line('FOO /auth/me HTTP/1.1'),
    'a space in the target': line('GET /auth/ me HTTP/1.1'),
    'a target that is not a path': line('GET auth/me HTTP/1.1'),
    'a NUL in the target': line('GET /auth/me\0 HTTP/1.1'),
  }
  await expectRefusals(server, all(cases, 'BAD_REQUEST'))
})

test('a malformed header is refused', async (t) => {
  const server = await listen(t)
  const cases = {
    'a line without a colon': head(HOST, 'no colon here'),
    'a line with an empty name': head(HOST, ': x'),
    'a space in the name': head(HOST, 'X Y: z'),
    'a space before the colon': head(HOST, 'X-Y : z'),
    'a NUL in the name': head(HOST, 'X\0Y: z'),
    'a NUL in a value': head(HOST, 'X-Y: \0'),
    'a lone carriage return': head(HOST, 'X-Y: a\rb'),
    'no Host': head('X-Y: z'),
    'a length that is not a number': head(HOST, TYPE, 'Content-Length: x'),
    'a negative length': head(HOST, TYPE, 'Content-Length: -1'),
    'an endless length': head(HOST, TYPE, `Content-Length: ${'9'.repeat(40)}`),
    'two lengths': head(HOST, TYPE, 'Content-Length: 1', 'Content-Length: 2'),
    'a list of lengths': head(HOST, TYPE, 'Content-Length: 1, 2'),
    'a length and chunks': head(HOST, TYPE, 'Content-Length: 5', CHUNKED),
    'another transfer encoding': head(HOST, TYPE, 'Transfer-Encoding: gzip'),
    'chunks, and then another': head(HOST, TYPE, 'Transfer-Encoding: chunked, gzip'),
    'a malformed chunk size': `${head(HOST, TYPE, CHUNKED)}zz\r\n{}\r\n0\r\n\r\n`,
    'a chunk longer than its size': `${head(HOST, TYPE, CHUNKED)}1\r\n{}\r\n0\r\n\r\n`,
    'a chunk size without end': `${head(HOST, TYPE, CHUNKED)}${'f'.repeat(40)}\r\n`,
  }
  await expectRefusals(server, all(cases, 'BAD_REQUEST'))
})

test('headers over the limit are refused, however large they are', async (t) => {
  const server = await listen(t)
  const sizes = [20_000, 100_000, 1_000_000, 5_000_000]
  const cases = Object.fromEntries(
    sizes.flatMap((size) => [
      [`a value of ${size}`, head(HOST, `X-Y: ${'x'.repeat(size)}`)],
      [`a name of ${size}`, head(HOST, `${'x'.repeat(size)}: y`)],
      [`many lines, ${size} in all`, head(HOST, 'X-Y: abc\r\n'.repeat(size / 5))],
      [`a target of ${size}`, `GET /${'x'.repeat(size)} HTTP/1.1\r\n${HOST}\r\n\r\n`],
    ]),
  )
  await expectRefusals(server, all(cases, 'HEADERS_TOO_LARGE'))
})

test('a request that breaks off gets a response', async (t) => {
  const server = await listen(t)
  const cases = {
    'in the request line': 'GET /auth/m',
    'in a header': `GET /auth/me HTTP/1.1\r\n${HOST}\r\nX-Y`,
    'after the headers': head(HOST, TYPE, 'Content-Length: 100'),
    'in the body': head(HOST, TYPE, 'Content-Length: 100') + LOGIN,
    'in a body that is too large': head(HOST, TYPE, 'Content-Length: 100000') + LOGIN,
    'in a chunk': `${head(HOST, TYPE, CHUNKED)}ff\r\n${LOGIN}`,
    'before the last chunk': `${head(HOST, TYPE, CHUNKED)}${LENGTH}\r\n${LOGIN}\r\n`,
  }
  const refusals = all(cases, 'BAD_REQUEST', 'PAYLOAD_TOO_LARGE')
  await expectRefusals(
    server,
    refusals.map((refusal) => ({ ...refusal, end: true })),
  )
})

test('a body longer than its Content-Length is refused', async (t) => {
  const server = await listen(t)
  const cases = {
    'by a byte': head(HOST, TYPE, `Content-Length: ${LOGIN.length - 1}`) + LOGIN,
    'by many bytes': head(HOST, TYPE, 'Content-Length: 2') + LOGIN,
    'by a megabyte': head(HOST, TYPE, 'Content-Length: 2') + LOGIN + 'x'.repeat(1_048_576),
  }
  const connections = all(cases, 'BAD_REQUEST', 'VALIDATION_FAILED')
  for (const refusal of connections) {
    const connection = await openConnection(server.url)
    connection.send(refusal.bytes)
    assertProblem(await connection.response(), refusal)
    await connection.ended()
  }
})

test('a client that reads only after it has sent everything still gets its response', async (t) => {
  const server = await listen(t)
  const size = 10_000_000
  const refusals = [
    ...all({ headers: head(HOST, `X-Y: ${'x'.repeat(size)}`) }, 'HEADERS_TOO_LARGE'),
    ...all(
      { 'a body': head(HOST, TYPE, `Content-Length: ${size}`) + 'x'.repeat(size) },
      'PAYLOAD_TOO_LARGE',
    ),
    ...all({ garbage: Buffer.alloc(size, 0xa5) }, 'BAD_REQUEST'),
    // The server may see the tail before or after it has refused the body.
    ...all(
      { 'a long tail': `${head(HOST, TYPE, 'Content-Length: 2')}[]${'x'.repeat(size)}` },
      'BAD_REQUEST',
      'VALIDATION_FAILED',
    ),
  ]
  for (const refusal of refusals) {
    const connection = await openConnection(server.url)
    await connection.sendWithoutReading(refusal.bytes)
    assertProblem(await connection.response(), refusal)
    connection.destroy()
  }
})

test('a CONNECT request followed by a connection reset does not crash the server', async (t) => {
  const server = await listen(t)
  const { hostname, port } = new URL(server.url)
  for (let i = 0; i < 20; i++) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(
      `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n${'x'.repeat(1_000)}`,
    )
    await new Promise(setImmediate)
    socket.resetAndDestroy()
  }
  assert.equal((await server.app.inject('/health/live')).statusCode, 200)
  const response = await fetch(`${server.url}/health/live`)
  assert.equal(response.status, 200)
})

test('requests for a tunnel or an upgrade are refused', async (t) => {
  const server = await listen(t)
  const cases = { CONNECT: `CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n` }
  await expectRefusals(server, all(cases, 'BAD_REQUEST'))

  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'x',
    Expect: 'nonsense',
  }
  for (const headers of [upgrade, { Expect: 'nonsense' }]) {
    const connection = await openConnection(server.url)
    connection.send(request('GET', '/auth/me', headers))
    assertProblem(await connection.response(), {
      name: '',
      bytes: '',
      codes: ['AUTH_MISSING_TOKEN'],
    })
    connection.destroy()
  }
})

test('clients that disconnect do not harm the server', async (t) => {
  const server = await listen(t)
  const halves = [
    '',
    'GET /auth/m',
    head(HOST, TYPE, 'Content-Length: 100') + LOGIN,
    head(HOST, TYPE, 'Expect: 100-continue'),
  ]
  for (const half of halves) {
    const connection = await openConnection(server.url)
    connection.send(half)
    connection.destroy()
  }
  const connection = await openConnection(server.url)
  connection.send(request('GET', '/health/ready'))
  assert.equal((await connection.response()).status, 200)
  connection.destroy()
})
