import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import {
  ClientSecretBasic,
  customFetch,
  discovery,
  tokenIntrospection,
  tokenRevocation,
} from 'openid-client'
import { loadConfig, type PawlOptions, pawl } from '../../src/index.ts'
import { signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newClientSecret } from '../support/credentials.ts'
import { type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

const ORIGIN = 'https://auth.example.com'
const ID = 'the-gateway_of.us'
const SECRET = 'a-secret_of.letters-that_form.encoding-may_change'
const INTROSPECTION_CLIENTS = `other:${newClientSecret()},${ID}:${SECRET}`

/** Finds the server by its issuer as openid-client does. `toPath` stands for a proxy. */
function discover(app: FastifyInstance, issuer: string, toPath = (path: string) => path) {
  return discovery(new URL(issuer), ID, SECRET, ClientSecretBasic(SECRET), {
    algorithm: 'oauth2',
    [customFetch]: async (url, { method, headers, body }) => {
      assert.ok(url.startsWith(`${ORIGIN}/`), url)
      const path = toPath(url.slice(ORIGIN.length))
      const payload = body ? { payload: String(body) } : {}
      const response = await app.inject({ method: method as 'GET', url: path, headers, ...payload })
      const { statusCode: status } = response
      return new Response(response.body || null, { status, headers: response.headers as Env })
    },
  })
}

async function assertUsable(
  app: FastifyInstance,
  prefix: string,
  discovered: ReturnType<typeof discover>,
) {
  const configuration = await discovered
  const response = await app.inject({
    method: 'POST',
    url: `${prefix}/auth/signup`,
    payload: { email: 'ada@example.com', password: 'correct horse battery staple' },
  })
  const { accessToken, refreshToken } = response.json()
  assert.equal((await tokenIntrospection(configuration, accessToken)).active, true)
  await tokenRevocation(configuration, refreshToken)
  const inspected = await tokenIntrospection(configuration, refreshToken, {
    token_type_hint: 'refresh_token',
  })
  assert.equal(inspected.active, false)
}

async function buildApplication(
  t: TestContext,
  ISSUER: string,
  options: Partial<PawlOptions> = {},
  extend = (_host: FastifyInstance) => {},
) {
  const host = Fastify()
  cleanUp(t, () => host.close())
  extend(host)
  const config = loadConfig(await environment(t, { ISSUER, INTROSPECTION_CLIENTS }))
  await host.register(pawl, { config, prefix: '/id', ...options })
  return host
}

test('openid-client finds the endpoints and authenticates itself there', async (t) => {
  const app = await build(t, { INTROSPECTION_CLIENTS })
  await assertUsable(app, '', discover(app, ORIGIN))
})

test('openid-client finds a server whose issuer has a path', async (t) => {
  for (const issuer of [`${ORIGIN}/id`, `${ORIGIN}/tenants/a:b`, `${ORIGIN}/%C3%A4`]) {
    const app = await build(t, { INTROSPECTION_CLIENTS, ISSUER: issuer })
    const { pathname } = new URL(issuer)
    // The proxy removes the path of the issuer, and leaves the well-known path as it is.
    const toPath = (path: string) =>
      path.startsWith(pathname) ? path.slice(pathname.length) : path
    await assertUsable(app, '', discover(app, issuer, toPath))
  }
})

test('openid-client finds an application that has registered Pawl with a prefix', async (t) => {
  for (const issuer of [ORIGIN, `${ORIGIN}/id`, `${ORIGIN}/behind/id`]) {
    const { pathname } = new URL(issuer)
    const behind = pathname.replace(/\/id$/, '').replace(/^\/$/, '')
    const app = await buildApplication(t, issuer)
    const toPath = (path: string) =>
      behind && path.startsWith(behind) ? path.slice(behind.length) : path
    await assertUsable(app, '/id', discover(app, issuer, toPath))
  }
})

test('an application keeps its own metadata, and can leave those of Pawl out', async (t) => {
  const url = '/.well-known/oauth-authorization-server'
  const own = await buildApplication(t, ORIGIN, {}, (host) => {
    host.get(url, async () => ({ mine: true }))
  })
  assert.deepEqual((await own.inject(url)).json(), { mine: true })
  assert.equal((await own.inject(`/id${url}`)).json().issuer, ORIGIN)
  for (const routes of [{ discovery: false }, { oauth: false }]) {
    const without = await buildApplication(t, ORIGIN, { routes })
    assert.equal((await without.inject(url)).statusCode, 404)
  }
})

test('the serializers of an application do not change the metadata', async (t) => {
  const app = await buildApplication(t, ORIGIN, {}, (host) => {
    host.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
    host.setReplySerializer((payload) => JSON.stringify({ data: payload }))
  })
  const response = await app.inject('/.well-known/oauth-authorization-server')
  assert.equal(response.json().issuer, ORIGIN)
  assert.equal(response.headers['content-type'], 'application/json; charset=utf-8')
})

test('credentials are accepted in both spellings, and in no other', async (t) => {
  const app = await build(t, { INTROSPECTION_CLIENTS })
  const { accessToken } = await signUp(app)
  const introspect = async (credentials: string | Buffer) => {
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/oauth/introspect',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ token: accessToken }).toString(),
    })
    return statusCode
  }
  const encodeSome = (text: string) =>
    text.replace(/[^a-z]/gi, (character) => `%${character.charCodeAt(0).toString(16)}`)
  const encodeAll = (text: string) =>
    [...text].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('')
  const right = [
    `${ID}:${SECRET}`,
    `${encodeSome(ID)}:${encodeSome(SECRET)}`,
    `${encodeAll(ID).toUpperCase()}:${SECRET}`,
    `${ID}:${encodeAll(SECRET)}`,
    `${encodeAll(ID)}:${SECRET}`,
  ]
  for (const credentials of right) assert.equal(await introspect(credentials), 200, credentials)
  const wrong = [
    `${ID}%3A${SECRET}`,
    `${encodeAll(`${ID}:${SECRET}`)}`,
    `${ID}%3A${SECRET}:`,
    `:${ID}%3A${SECRET}`,
    `${encodeSome(encodeSome(ID))}:${SECRET}`,
    `${ID}:${encodeSome(encodeSome(SECRET))}`,
    `${ID}:${SECRET}%`,
    `${ID}:${SECRET}%zz`,
    `${ID}:${SECRET}%00`,
    `${ID}:${SECRET}+`,
    `${ID}:${SECRET}%20`,
    `${ID}:${SECRET}:`,
    `${ID}:${SECRET}%c3`,
    '%',
    ':',
    '%3A',
    '%c3:%c3',
    '',
  ]
  for (const credentials of wrong) assert.equal(await introspect(credentials), 401, credentials)
  const highBits = Buffer.from(`${ID}:${SECRET}`).map((byte) => byte | 0x80)
  assert.equal(await introspect(Buffer.from(highBits)), 401)
})
