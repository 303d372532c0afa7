import assert from 'node:assert/strict'
import { openSql } from '../../support/database.ts'
import {
  accessTokenOf,
  CALLBACK,
  call,
  isCallback,
  ORIGIN,
  oidc,
  signIn,
  startApp,
} from '../../support/examples/oidc.ts'

const me = async (response: Promise<Response>) => (await (await response).json()) as object

oidc.test('a user whom the provider knows gets a session of Pawl', async (t) => {
  const { visit, env } = await startApp(t)
  const visitor = visit()
  const page = await signIn(visitor, 'Ada.L')
  assert.equal(page.href, `${ORIGIN}/?sign-in=done`)
  assert.deepEqual([...visitor.jarOf(page).keys()], ['__Host-pawl-refresh'])

  const { userId, amr } = (await me(call(visitor, 'GET', '/api/me'))) as Record<string, unknown>
  assert.deepEqual([userId, amr], ['corp|Ada.L', ['oidc']])
  const rows = await openSql(t, env)`select id, email from users`
  assert.deepEqual([...rows], [{ id: 'corp|Ada.L', email: 'ada.l@example.com' }])

  const headers = { 'x-token-delivery': 'cookie' }
  const logout = await visitor.send(`${ORIGIN}/auth/logout`, { method: 'POST', headers })
  assert.equal(logout.status, 204)
  assert.equal(await accessTokenOf(visitor), undefined)
})

oidc.test('only a verified address is kept, and one address is of one user', async (t) => {
  const { visit, env } = await startApp(t)
  assert.equal((await signIn(visit(), 'unverified-bob')).search, '?sign-in=done')
  assert.equal((await signIn(visit(), 'same-one')).search, '?sign-in=done')
  const other = visit()
  assert.equal((await signIn(other, 'same-two')).search, '?sign-in=email-taken')
  assert.equal(await accessTokenOf(other), undefined)
  const rows = await openSql(t, env)`select id, email from users order by id`
  assert.deepEqual(
    [...rows],
    [
      { id: 'corp|same-one', email: 'same@example.com' },
      { id: 'corp|unverified-bob', email: null },
    ],
  )
})

oidc.test('a subject that cannot be an id is replaced by its hash', async (t) => {
  const { visit } = await startApp(t)
  const idOf = async (sub: string) => {
    const visitor = visit()
    assert.equal((await signIn(visitor, sub)).search, '?sign-in=done')
    return ((await me(call(visitor, 'GET', '/api/me'))) as { userId: string }).userId
  }
  const long = 'x'.repeat(255)
  const [first, second] = [await idOf('Grüße an alle'), await idOf(long)]
  for (const id of [first, second]) assert.match(id, /^corp\|sha256:[\w-]{43}$/)
  assert.notEqual(first, second)
  assert.equal(await idOf(long), second)
  // A name that looks like the hash of somebody else is not that user.
  assert.notEqual(await idOf(second.replace('corp|', '')), second)
})

oidc.test('a refusal by the provider or by the user starts no session', async (t) => {
  const { visit } = await startApp(t)
  const visitor = visit()
  const form = await visitor.open(`${ORIGIN}/sign-in`)
  const cancel = /href="([^"]+\/abort)"/.exec(form.text)?.[1] ?? ''
  const page = await visitor.open(new URL(cancel, form.url))
  assert.equal(page.url.href, `${ORIGIN}/?sign-in=refused`)
  assert.equal(visitor.jarOf(page.url).size, 0)
})

oidc.test('a response of the provider is good once, and in the browser that asked', async (t) => {
  const { visit } = await startApp(t)
  const [attacker, victim] = [visit(), visit()]
  const own = await signIn(attacker, 'eve', { isLast: isCallback })
  assert.ok(own.searchParams.get('code'))

  // The victim is made to open the attacker's response, without an attempt and with one.
  const resultOf = async (visitor: typeof victim, url: string | URL) =>
    (await visitor.open(url)).url.search
  assert.equal(await resultOf(victim, own), '?sign-in=failed')
  await victim.open(`${ORIGIN}/sign-in`)
  assert.equal(await resultOf(victim, own), '?sign-in=failed')
  await victim.open(`${ORIGIN}/sign-in`)
  for (const query of ['', '?code=x', '?error=access_denied', '?state=x&error=access_denied'])
    assert.equal(await resultOf(victim, CALLBACK + query), '?sign-in=failed')
  assert.equal(await accessTokenOf(victim), undefined)

  const forged = new URL(own)
  forged.searchParams.set('iss', 'https://other.example.com')
  const cookie = attacker.jarOf(own).get('__Host-sign-in') ?? ''
  assert.equal(await resultOf(attacker, forged), '?sign-in=failed')
  attacker.jarOf(own).set('__Host-sign-in', cookie)
  assert.equal(await resultOf(attacker, own), '?sign-in=done')
  attacker.jarOf(own).set('__Host-sign-in', cookie)
  assert.equal(await resultOf(attacker, own), '?sign-in=failed')
})

oidc.test('the cookie of an attempt is out of reach of scripts and other hosts', async (t) => {
  const { visit } = await startApp(t)
  const response = await visit().send(`${ORIGIN}/sign-in`)
  assert.equal(response.status, 303)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  const [cookie = '', ...more] = response.headers.getSetCookie()
  assert.equal(more.length, 0)
  assert.match(cookie, /^__Host-sign-in=[\w-]+; /)
  assert.deepEqual(cookie.split('; ').slice(1).sort(), [
    'HttpOnly',
    'Max-Age=600',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ])
  const query = new URL(response.headers.get('location') ?? '').searchParams
  assert.equal(query.get('redirect_uri'), CALLBACK)
  assert.equal(query.get('code_challenge_method'), 'S256')
  for (const name of ['state', 'nonce', 'code_challenge'])
    assert.ok((query.get(name) ?? '').length >= 43, name)
})

oidc.test('a payout demands a recent login, which the provider confirms', async (t) => {
  const { visit } = await startApp(t)
  const visitor = visit()
  await signIn(visitor, 'ada')
  const refused = await call(visitor, 'POST', '/api/payout')
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /insufficient_user_authentication/)
  // The user has just signed in at the provider, so it does not ask again.
  const page = await visitor.open(`${ORIGIN}/sign-in?recent`)
  assert.equal(page.url.search, '?sign-in=done')
  assert.equal((await call(visitor, 'POST', '/api/payout')).status, 200)
})

oidc.test('a provider that cannot be reached is reported to the user', async (t) => {
  const { visit } = await startApp(t, { OIDC_ISSUER: 'http://localhost:1' })
  assert.equal((await visit().open(`${ORIGIN}/sign-in`)).url.search, '?sign-in=failed')
})
