import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import { buildWithAdministrator } from '../support/administrator.ts'
import { call, signUp } from '../support/app-requests.ts'
import { PASSWORD } from '../support/credentials.ts'
import { build } from '../support/in-process-server.ts'

const EMAIL = 'ada@example.com'

interface FieldError {
  field: string
  message: string
}

/** Returns the errors as `field: message`. */
function errorsOf(response: LightMyRequestResponse): string[] {
  assert.equal(response.statusCode, 400, response.body)
  const errors: FieldError[] = response.json().errors
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

const LOGINS: [unknown, string[]][] = [
  [
    { email: 'ada', password: '' },
    ['email: must be an e-mail address', 'password: must not be empty'],
  ],
  [{ email: EMAIL }, ['password: is required']],
  [{}, ['email: is required', 'password: is required']],
  [[], [': must be an object']],
  [{ email: 1, password: null }, ['email: must be text', 'password: must be text']],
  [{ email: EMAIL, password: 'x', extra: 1 }, [': has a property that is not known here']],
  [
    { email: `${'a.'.repeat(200)}@b`, password: 'x'.repeat(513) },
    ['email: must have at most 254 characters', 'password: must have at most 512 characters'],
  ],
  [{ email: EMAIL, password: 'a\u0000b' }, ['password: has a character that no keyboard can type']],
]

for (const [payload, expected] of LOGINS) {
  test(`a form says what is wrong: ${JSON.stringify(payload).slice(0, 60)}`, async (t) => {
    const app = await build(t)
    for (const url of ['/auth/login', '/auth/signup']) {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify(payload)
      const response = await app.inject({ method: 'POST', url, headers, payload: body })
      assert.deepEqual(errorsOf(response), expected)
      assert.equal(response.json().code, 'VALIDATION_FAILED')
      assert.ok(response.json().detail.startsWith('body'))
    }
  })
}

test('every part of a request has errors with words', async (t) => {
  const { app, token: admin } = await buildWithAdministrator(t)
  const get = async (url: string) => errorsOf(await call(app, admin, 'GET', url))
  const patch = async (payload: object) =>
    errorsOf(await call(app, admin, 'PATCH', '/admin/users/x', payload))
  assert.deepEqual(await get('/admin/users?limit=101'), ['limit: must be at most 100'])
  assert.deepEqual(await get('/admin/users?limit=1.5'), ['limit: must be a whole number'])
  assert.deepEqual(await get('/admin/users?limit=many'), ['limit: must be a number'])
  assert.deepEqual(await get('/admin/users?cursor=%7f'), ['cursor: is not the cursor of a page'])
  assert.deepEqual(await get('/admin/users?cursor=abc'), ['cursor: is not the cursor of a page'])
  assert.deepEqual(await get('/admin/events?userId=%20'), [
    'userId: must have 1 to 128 letters, digits, and . _ : @ | -',
  ])
  assert.deepEqual(await get('/admin/events?sessionId=1'), ['sessionId: must be a UUID'])
  assert.deepEqual(await get('/admin/events?from=today'), [
    'from: must be a time such as 2026-01-31T12:00:00Z',
  ])
  assert.deepEqual(await patch({}), [': must have at least 1 property'])
  assert.deepEqual(await patch({ status: 'gone' }), ['status: must be one of: active, disabled'])
  assert.deepEqual(await patch({ roles: ['a', 'A b'] }), [
    'roles.1: must begin with a small letter and have at most 32 small letters, digits, and : _ -',
  ])
  assert.deepEqual(await patch({ roles: ['a', 'a'] }), ['roles: must not have an entry twice'])
  const refresh = (payload: object, headers = {}) =>
    app.inject({ method: 'POST', url: '/auth/refresh', payload, headers })
  assert.deepEqual(errorsOf(await refresh({})), ['refreshToken: is required'])
  assert.deepEqual(errorsOf(await refresh({ refreshToken: 'x' }, { 'idempotency-key': 'short' })), [
    'idempotency-key: must have 16 to 128 characters of ASCII without spaces',
  ])
  assert.deepEqual(
    errorsOf(await refresh({ refreshToken: 'x' }, { 'x-token-delivery': 'pigeon' })),
    ['x-token-delivery: must be one of: body, cookie'],
  )
})

test('a rejected password has an error for its field', async (t) => {
  const app = await build(t)
  const { accessToken } = await signUp(app)
  const payload = { email: EMAIL, password: 'short' }
  const signup = await app.inject({ method: 'POST', url: '/auth/signup', payload })
  assert.equal(signup.json().code, 'AUTH_PASSWORD_REJECTED')
  assert.deepEqual(signup.json().errors, [{ field: 'password', message: signup.json().detail }])
  const body = { currentPassword: PASSWORD, newPassword: 'short' }
  const change = (await call(app, accessToken, 'POST', '/auth/password', body)).json()
  assert.deepEqual(change.errors, [{ field: 'newPassword', message: change.detail }])
})

test('errors repeat nothing of what was sent, and no pattern', async (t) => {
  const app = await build(t)
  const marker = 'Zq7'
  const hostile = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(marker),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 30 }),
      fc.dictionary(
        fc.oneof(
          fc.constantFrom('email', 'password'),
          fc.string({ maxLength: 9 }).map((name) => `${marker}${name}`),
        ),
        tie('value'),
      ),
    ),
  })).value
  await fc.assert(
    fc.asyncProperty(hostile, fc.constantFrom('login', 'refresh', 'signup'), async (body, path) => {
      const response = await app.inject({
        method: 'POST',
        url: `/auth/${path}`,
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(body),
      })
      if (response.json().code !== 'VALIDATION_FAILED') return
      assert.ok(!response.body.includes(marker), response.body)
      const { errors, detail }: { errors: FieldError[]; detail: string } = response.json()
      assert.ok(errors.length > 0 && errors.length <= 10)
      for (const text of [detail, ...errors.map(({ message }) => message)])
        assert.doesNotMatch(text, /[\\^$*[\]{}]|undefined|expected/i)
      assert.equal(new Set(errors.map(({ field }) => field)).size, errors.length)
    }),
    { numRuns: 300 },
  )
})
