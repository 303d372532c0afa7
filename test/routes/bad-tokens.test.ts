import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import { me, refresh } from '../support/app-requests.ts'
import { createClock } from '../support/clock.ts'
import { expired, forgeries } from '../support/forgeries.ts'
import { listen } from '../support/listening-server.ts'
import { request } from '../support/raw-http.ts'
import { expectRefusals, type Refusal } from '../support/refusals.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

function bearing(
  path: string,
  name: string,
  authorization: string | undefined,
  code: ErrorCode,
): Refusal {
  const headers = authorization === undefined ? {} : { Authorization: authorization }
  const bytes = request(path === '/auth/me' ? 'GET' : 'POST', path, headers)
  return { name: `${path}, ${name}`, bytes, codes: [code] }
}

function presenting(path: string, name: string, refreshToken: string, code: ErrorCode): Refusal {
  const bytes = request('POST', path, JSON_TYPE, JSON.stringify({ refreshToken }))
  return { name: `${path}, ${name}`, bytes, codes: [code] }
}

test('a forged access token is refused and ends no session', async (t) => {
  const server = await listen(t)
  const { accessToken, refreshToken } = server.pair
  const forged = Object.entries(forgeries(server.env, accessToken, 'access'))
  await expectRefusals(server, [
    ...forged.flatMap(([name, token]) => [
      bearing('/auth/me', name, `Bearer ${token}`, 'AUTH_INVALID_TOKEN'),
      bearing('/auth/logout', name, `Bearer ${token}`, 'AUTH_INVALID_TOKEN'),
    ]),
    bearing('/auth/me', 'a refresh token', `Bearer ${refreshToken}`, 'AUTH_INVALID_TOKEN'),
    bearing(
      '/auth/me',
      'expired',
      `Bearer ${expired(server.env, accessToken, 'access')}`,
      'AUTH_INVALID_TOKEN',
    ),
  ])
  assert.equal((await me(server.app, accessToken)).statusCode, 200)
})

test('a forged refresh token is refused and ends no session', async (t) => {
  const server = await listen(t)
  const { accessToken, refreshToken } = server.pair
  const forged = Object.entries(forgeries(server.env, refreshToken, 'refresh'))
  await expectRefusals(server, [
    ...forged.flatMap(([name, token]) => [
      presenting('/auth/refresh', name, token, 'AUTH_INVALID_REFRESH_TOKEN'),
      presenting('/auth/logout', name, token, 'AUTH_INVALID_TOKEN'),
    ]),
    presenting('/auth/refresh', 'an access token', accessToken, 'AUTH_INVALID_REFRESH_TOKEN'),
  ])
  assert.equal((await refresh(server.app, refreshToken)).statusCode, 200)
})

test('an access token is refused from the second in which it expires', async (t) => {
  const clock = createClock()
  const server = await listen(t, clock)
  const { accessToken, expiresIn } = server.pair
  clock.advance(expiresIn * 1000)
  await expectRefusals(server, [
    bearing('/auth/me', 'expired', `Bearer ${accessToken}`, 'AUTH_INVALID_TOKEN'),
  ])
})

test('an Authorization header without a bearer token counts as a missing token', async (t) => {
  const server = await listen(t)
  const { accessToken } = server.pair
  const headers = [
    undefined,
    '',
    'Basic dXNlcjpwYXNz',
    `Basic ${accessToken}`,
    `Token ${accessToken}`,
    accessToken,
    `Bearer${accessToken}`,
    `Bearer=${accessToken}`,
    `Basic Bearer ${accessToken}`,
    'Bearer',
    'Bearer ',
    'Bearer    ',
  ]
  await expectRefusals(server, [
    ...headers.flatMap((header) => [
      bearing('/auth/me', `${header}`, header, 'AUTH_MISSING_TOKEN'),
      bearing('/auth/logout', `${header}`, header, 'AUTH_MISSING_TOKEN'),
    ]),
    {
      name: 'a token in the query',
      bytes: request('GET', `/auth/me?access_token=${accessToken}`),
      codes: ['AUTH_MISSING_TOKEN'],
    },
  ])
})

test('a bearer token that is not a JWT is refused', async (t) => {
  const server = await listen(t)
  const { accessToken } = server.pair
  const odd = [
    'null',
    'undefined',
    ',',
    '"',
    'a.b.c',
    '\xff\xfe',
    `\xe9${accessToken}`,
    'x'.repeat(4_000),
  ]
  await expectRefusals(
    server,
    ['/auth/me', '/auth/logout'].flatMap((path) => [
      ...[...odd, 'x'.repeat(15_000), `${accessToken},${accessToken}`, `${accessToken}x`].map(
        (token) => bearing(path, token.slice(0, 60), `Bearer ${token}`, 'AUTH_INVALID_TOKEN'),
      ),
      bearing(path, '100 kB', `Bearer ${'x'.repeat(100_000)}`, 'HEADERS_TOO_LARGE'),
      // Node's HTTP parser refuses control characters.
      bearing(path, 'NUL', `Bearer ${accessToken}\0`, 'BAD_REQUEST'),
      bearing(path, 'a control character', `Bearer \x01${accessToken}`, 'BAD_REQUEST'),
    ]),
  )
})

test('two bearer tokens in one header are refused', async (t) => {
  const server = await listen(t)
  const { accessToken } = server.pair
  const two = bearing(
    '/auth/me',
    'two tokens',
    `Bearer ${accessToken} ${accessToken}`,
    'AUTH_INVALID_TOKEN',
  )
  await expectRefusals(server, [two])
})

test('a malformed Idempotency-Key is refused, and the refresh token is not spent', async (t) => {
  const server = await listen(t)
  const { refreshToken } = server.pair
  const body = JSON.stringify({ refreshToken })
  const key = '0123456789abcdef'
  const keyed = (name: string, value: string, ...codes: ErrorCode[]): Refusal => {
    const bytes = request('POST', '/auth/refresh', { ...JSON_TYPE, 'Idempotency-Key': value }, body)
    return { name, bytes, codes }
  }
  await expectRefusals(server, [
    keyed('empty', '', 'VALIDATION_FAILED'),
    keyed('too short', key.slice(1), 'VALIDATION_FAILED'),
    keyed('too long', 'x'.repeat(129), 'VALIDATION_FAILED'),
    keyed('far too long', 'x'.repeat(15_000), 'VALIDATION_FAILED'),
    keyed('a space', `${key} ${key}`, 'VALIDATION_FAILED'),
    keyed('a tab', `${key}\t${key}`, 'VALIDATION_FAILED'),
    keyed('two headers', `${key}\r\nIdempotency-Key: ${key}`, 'VALIDATION_FAILED'),
    keyed('Latin-1', `${key}\xe9`, 'VALIDATION_FAILED'),
    keyed('DEL', `${key}\x7f`, 'VALIDATION_FAILED', 'BAD_REQUEST'),
    keyed('NUL', `${key}\0`, 'BAD_REQUEST'),
    keyed('a control character', `${key}\x1b`, 'BAD_REQUEST'),
    keyed('a lone line feed', `${key}\n${key}`, 'BAD_REQUEST'),
  ])
  const response = await refresh(server.app, refreshToken, key)
  assert.equal(response.statusCode, 200)
  // The token is spent only now, by this key. No refused attempt has spent it.
  assert.equal(
    (await refresh(server.app, refreshToken, key)).json().refreshToken,
    response.json().refreshToken,
  )
})
