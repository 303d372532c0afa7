import assert from 'node:assert/strict'
import { newEmail } from '../credentials.ts'
import type { Env } from '../environment.ts'
import { expired, forgeries } from '../forgeries.ts'
import { request } from '../raw-http.ts'
import type { RecordingClient } from './recording-client.ts'
import { addSecret, addToken, type Secrets } from './secrets.ts'
import type { Credentials } from './use-account.ts'

/** Sends forged tokens and malformed requests, with secrets in every part of a request. */
export async function sendMalformed(
  client: RecordingClient,
  env: Env,
  credentials: Credentials,
  secrets: Secrets,
) {
  const { send, post, bear } = client
  const { email, password } = credentials
  const { pair } = await post('/auth/login', credentials)
  for (const kind of ['access', 'refresh'] as const) {
    const token = pair[`${kind}Token`]
    for (const forged of [
      expired(env, token, kind),
      ...Object.values(forgeries(env, token, kind)),
    ]) {
      if (forged.length > 20) addToken(secrets, forged)
      await bear(forged)
      await bear(forged, 'POST', '/auth/logout')
      await post('/auth/refresh', { refreshToken: forged })
    }
  }
  // Some of these tokens had a valid signature, so the session has ended.
  const { accessToken: access, refreshToken: refresh } = (await post('/auth/login', credentials))
    .pair

  const bodies = [
    { email: password, password },
    { email, password, [password]: password },
    { [refresh]: refresh },
    { email: [email], password: [password] },
    { refreshToken: [refresh] },
    [password, refresh],
    password,
    `{"email":"${email}","password":"${password}"`,
    `{"refreshToken":"${refresh}`,
    `{"password":${password}}`,
    `{"__proto__":"${password}"}`,
    { password: password.repeat(40) },
    { currentPassword: password, newPassword: [password] },
    { refreshToken: refresh.repeat(10) },
    { refreshToken: refresh.repeat(500) },
  ]
  const texts = [`password=${password}`, `refreshToken=${refresh}`]
  for (const path of [
    '/auth/signup',
    '/auth/login',
    '/auth/refresh',
    '/auth/logout',
    '/auth/password',
    '/admin/users',
  ]) {
    for (const body of bodies) await post(path, body)
    for (const text of texts)
      await post(path, text, { 'Content-Type': 'application/x-www-form-urlencoded' })
    // Many error messages quote the content type.
    await post(path, '{}', { 'Content-Type': password })
  }
  await post('/auth/signup', {
    email: newEmail(),
    password: addSecret(secrets, 'a password', 'qwertyuiop'),
  })
  for (const key of [password, `${access} `, 'short-secret-key'.slice(0, 15)])
    await post(
      '/auth/refresh',
      { refreshToken: refresh },
      { 'Idempotency-Key': addSecret(secrets, 'a key', key) },
    )

  const paths = [
    '/auth/me',
    '/auth/nowhere',
    '/',
    `/auth/refresh/${refresh}`,
    `/${access}`,
    '/auth/%zz',
  ]
  for (const path of paths)
    for (const tail of [
      `?access_token=${access}&password=${password}`,
      `#${refresh}`,
      `;token=${refresh}`,
      `/${access}`,
    ])
      await send(request('GET', path + tail))
  await send(request('GET', `http://user:${password}@auth.example.com/auth/me`))
  await send(request('GET', `/%zz${access}`))

  const line = 'GET /auth/me HTTP/1.1\r\nHost: x\r\n'
  const raw = [
    `${line}Authorization: Bearer ${access}\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`,
    `${line}Authorization: Bearer ${access.repeat(100)}\r\n\r\n`,
    `${line}Authorization Bearer ${access}\r\n\r\n`,
    `${line}Authorization: Bearer ${access}\0\r\n\r\n`,
    `${access}\r\n\r\n`,
    `{"password":"${password}","refreshToken":"${refresh}"}\r\n\r\n`,
    `CONNECT user:${password}@example.com:443 HTTP/1.1\r\nHost: ${password}\r\n\r\n`,
  ]
  for (const bytes of raw) assert.ok((await send(bytes)).status >= 400)
  for (const header of ['User-Agent', 'X-Request-Id', 'Cookie', 'X-Forwarded-For', 'Traceparent'])
    await send(
      request('GET', '/auth/me', { [header]: refresh, Authorization: `Basic ${password}` }),
    )
}
