import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

/** The page may load its own scripts, styles and images, and call its own server. */
const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'connect-src': "'self'",
  'img-src': "'self' data:",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
  'form-action': "'none'",
}

function policy(header: unknown) {
  const directives = String(header).split(';')
  return Object.fromEntries(
    directives.map((directive) => [directive.split(' ')[0], directive.replace(/^\S+ /, '')]),
  )
}

test('PLAYGROUND is true by default without a database, and false with one', async (t) => {
  assert.equal(loadConfig({}).playground, true)
  assert.equal(loadConfig({ PLAYGROUND: 'false' }).playground, false)
  const env = await environment(t)
  assert.equal(loadConfig(env).playground, false)
  assert.equal(loadConfig({ ...env, PLAYGROUND: 'true' }).playground, true)
  assert.throws(() => loadConfig({ PLAYGROUND: 'on' }), /PLAYGROUND must be true or false/)
})

test('if the playground is off, none of its paths exists', async (t) => {
  const app = await build(t)
  for (const url of ['/', '/playground/app.js', '/playground/settings.json', '/playground/']) {
    const response = await app.inject({ url })
    assert.equal(response.statusCode, 404, url)
    assert.equal(response.json().code, 'NOT_FOUND')
  }
})

test('the policy of the page and its files forbids inline scripts and styles', async (t) => {
  const app = await build(t, { PLAYGROUND: 'true', GRACE: '7s' })
  const page = await app.inject({ url: '/' })
  assert.equal(page.statusCode, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.doesNotMatch(page.body, /<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/)

  const named = [...page.body.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map(
    ([, path]) => `/${path}`,
  )
  assert.ok(named.length >= 6)
  const settings = await app.inject({ url: '/playground/settings.json' })
  assert.deepEqual(settings.json(), { grace: 7_000, signup: true, mailbox: false })
  const modules = new Set(named)
  for (const url of modules) {
    const response = await app.inject({ url })
    assert.equal(response.statusCode, 200, url)
    assert.deepEqual(policy(response.headers['content-security-policy']), POLICY, url)
    assert.equal(response.headers['x-content-type-options'], 'nosniff')
    assert.equal(response.headers['referrer-policy'], 'no-referrer')
    assert.equal(response.headers['cache-control'], 'no-cache')
    if (!url.endsWith('.js')) continue
    for (const [, path] of response.body.matchAll(/from '\.\/([^']+)'/g))
      modules.add(`/playground/${path}`)
  }
  assert.ok(modules.size >= 12)
  assert.deepEqual(policy(page.headers['content-security-policy']), POLICY)
})

test('the policy of the playground does not apply to other responses', async (t) => {
  const app = await build(t, { PLAYGROUND: 'true' })
  const me = await app.inject({ url: '/auth/me' })
  assert.equal(me.headers['content-security-policy'], "default-src 'none';frame-ancestors 'none'")
  assert.equal((await app.inject({ url: '/playground/../package.json' })).statusCode, 404)
  assert.equal((await app.inject({ url: '/playground/..%2fpackage.json' })).statusCode, 404)
  const { paths } = (await app.inject({ url: '/openapi.json' })).json()
  assert.deepEqual(
    Object.keys(paths).filter((path) => path === '/' || path.includes('playground')),
    [],
  )
})
