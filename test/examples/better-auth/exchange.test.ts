import assert from 'node:assert/strict'
import { PASSWORD } from '../../support/credentials.ts'
import { openSql } from '../../support/database.ts'
import { betterAuth, startApp } from '../../support/examples/better-auth.ts'

const NEW_PASSWORD = 'another long enough password'

const tokenOf = async (response: Response) =>
  ((await response.json()) as { accessToken: string }).accessToken

betterAuth.test('a login at better-auth becomes a session of Pawl, and ends there', async (t) => {
  const { visit, env } = await startApp(t)
  const user = visit()
  const signUp = (await (await user.signUp()).json()) as { user: { id: string } }
  const exchanged = await user.exchange()
  assert.equal(exchanged.status, 200)
  assert.equal(exchanged.headers.get('cache-control'), 'no-store')
  assert.deepEqual(user.cookies(), ['__Host-pawl-refresh'])
  assert.equal(await user.session(), null)
  assert.equal((await user.exchange()).status, 401)

  const me = await user.me(await tokenOf(exchanged))
  assert.equal(me.status, 200)
  const { userId, amr } = (await me.json()) as Record<string, unknown>
  assert.deepEqual([userId, amr], [signUp.user.id, ['pwd']])
  assert.equal((await user.refresh()).status, 200)
  const rows = await openSql(t, env)`select id, email, password_hash from users`
  assert.deepEqual([...rows], [{ id: userId, email: null, password_hash: null }])
})

betterAuth.test('a revoked session of Pawl cannot be had again without a login', async (t) => {
  const { visit } = await startApp(t)
  const user = visit()
  await user.signUp()
  const token = await tokenOf(await user.exchange())
  const headers = { authorization: `Bearer ${token}`, 'x-token-delivery': 'cookie' }
  assert.equal((await user.post('/auth/logout', undefined, headers)).status, 204)
  assert.equal((await user.me(token)).status, 401)
  assert.equal((await user.exchange()).status, 401)
  await user.signIn()
  assert.equal((await user.exchange()).status, 200)
})

betterAuth.test('a new password at better-auth ends the sessions of Pawl', async (t) => {
  const { visit } = await startApp(t)
  const user = visit()
  await user.signUp()
  const token = await tokenOf(await user.exchange())
  assert.equal((await user.me(token)).status, 200)
  await user.signIn()
  const change = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD }
  assert.equal((await user.post('/api/auth/change-password', change)).status, 200)
  assert.equal((await user.me(token)).status, 401)
  assert.equal((await user.refresh()).status, 401)
  assert.equal((await user.signIn()).status, 401)
  assert.equal((await user.signIn(NEW_PASSWORD)).status, 200)
  assert.equal((await user.exchange()).status, 200)
})

betterAuth.test('a user who deletes the account is deleted in Pawl too', async (t) => {
  const { visit, env } = await startApp(t)
  const user = visit()
  await user.signUp()
  const token = await tokenOf(await user.exchange())
  await user.signIn()
  const deleted = await user.post('/api/auth/delete-user', { password: PASSWORD })
  assert.equal(deleted.status, 200)
  assert.equal((await user.me(token)).status, 401)
  assert.deepEqual([...(await openSql(t, env)`select id from users`)], [])
})

betterAuth.test('a page of another origin cannot exchange the session', async (t) => {
  const { visit } = await startApp(t)
  const user = visit()
  await user.signUp()
  const refused = await user.exchange({ origin: 'https://evil.example.com' })
  assert.equal(refused.status, 403)
  assert.equal(((await refused.json()) as { code: string }).code, 'AUTH_ORIGIN_NOT_ALLOWED')
  assert.equal((await user.exchange()).status, 200)
})

betterAuth.test('guesses are limited by the address that Fastify sees', async (t) => {
  const { visit } = await startApp(t, { RATE_LIMIT: 'on' })
  const user = visit()
  const guess = async (count: number) => {
    const headers = { 'x-forwarded-for': `203.0.113.${count}` }
    const body = { email: 'ada@example.com', password: 'something else entirely' }
    return (await user.post('/api/auth/sign-in/email', body, headers)).status
  }
  const statuses = [await guess(0)]
  while (statuses.length < 10 && statuses.at(-1) === 401)
    statuses.push(await guess(statuses.length))
  assert.equal(statuses[0], 401)
  assert.equal(statuses.at(-1), 429, String(statuses))
})
