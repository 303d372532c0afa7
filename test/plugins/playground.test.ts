import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

/** All that the page may do: load its own scripts, styles and images, and talk to its own server. */
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

test('the page is on in the embedded default, off with stores of its own, and asked for by PLAYGROUND', async (t) => {
  assert.equal(loadConfig({}).playground, true)
  assert.equal(loadConfig({ PLAYGROUND: 'false' }).playground, false)
  const env = await environment(t)
  assert.equal(loadConfig(env).playground, false)
  assert.equal(loadConfig({ ...env, PLAYGROUND: 'true' }).playground, true)
  assert.throws(() => loadConfig({ PLAYGROUND: 'on' }), /PLAYGROUND must be true or false/)
})

test('off, nothing of it is there', async (t) => {
  const app = await build(t)
  for (const url of ['/', '/playground/app.js', '/playground/settings.json', '/playground/']) {
    const answer = await app.inject({ url })
    assert.equal(answer.statusCode, 404, url)
    assert.equal(answer.json().code, 'NOT_FOUND')
  }
})

test('on, the page and all that it names are served under a policy without inline scripts or styles', async (t) => {
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
  assert.deepEqual(settings.json(), { grace: 7_000, signup: true })
  const modules = new Set(named)
  for (const url of modules) {
    const answer = await app.inject({ url })
    assert.equal(answer.statusCode, 200, url)
    assert.deepEqual(policy(answer.headers['content-security-policy']), POLICY, url)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal(answer.headers['referrer-policy'], 'no-referrer')
    assert.equal(answer.headers['cache-control'], 'no-cache')
    if (!url.endsWith('.js')) continue
    for (const [, path] of answer.body.matchAll(/from '\.\/([^']+)'/g))
      modules.add(`/playground/${path}`)
  }
  assert.ok(modules.size >= 12)
  assert.deepEqual(policy(page.headers['content-security-policy']), POLICY)
})

test('its policy is its own: what else the server answers lets a browser run nothing', async (t) => {
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
