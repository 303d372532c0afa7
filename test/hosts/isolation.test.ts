import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { loadConfig, pawl } from '../../src/index.ts'
import { call, logIn, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'

/** What an application may set when it is created, for its own routes. */
const OPTIONS: Record<string, FastifyServerOptions> = {
  'a lax Ajv': {
    ajv: {
      customOptions: {
        ...{ allErrors: true, coerceTypes: 'array', removeAdditional: 'all', useDefaults: false },
        formats: { email: () => true },
      },
    },
  },
  'a controller of schemas': {
    schemaController: {
      compilersFactory: {
        buildValidator: () => () => Object.assign(() => true, { schema: {} }) as never,
        buildSerializer: () => () => () => '"own"',
      },
    },
  },
  'a small limit of bodies': { bodyLimit: 20 },
  'a large limit of bodies': { bodyLimit: 10_000_000 },
}

/** What an application may set for its own routes. Each once broke routes of Pawl. */
const HABITS: Record<string, (host: FastifyInstance) => unknown> = {
  'compilers of Zod': (host) => {
    host.setValidatorCompiler(validatorCompiler)
    host.setSerializerCompiler(serializerCompiler)
  },
  'a JSON parser that gives a Buffer': (host) => {
    host.removeContentTypeParser('application/json')
    host.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body)
    })
  },
  'a parser for everything': (host) => {
    host.removeAllContentTypeParsers()
    host.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume()
      payload.on('end', () => done(null, 'unparsed'))
    })
  },
  'a parser by pattern': (host) => {
    host.removeAllContentTypeParsers()
    host.addContentTypeParser(/^application\/.*json/, { parseAs: 'string' }, (_r, body, done) => {
      done(null, { raw: body })
    })
  },
  'an envelope for every body': (host) => {
    host.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
  },
  'a serializer for every reply': (host) => {
    host.setReplySerializer((payload) => `)]}',\n${JSON.stringify(payload)}`)
  },
  'errors of its own': (host) => {
    host.setErrorHandler((_error, _request, reply) => reply.code(418).send({ own: 'error' }))
    host.setSchemaErrorFormatter(() => new Error('own words'))
    host.setNotFoundHandler((_request, reply) => reply.code(418).send('own'))
  },
  'ids of requests of its own': (host) => {
    host.setGenReqId(() => 'same')
  },
}

async function buildHost(
  t: TestContext,
  habit: (host: FastifyInstance) => unknown,
  first: boolean,
  options: FastifyServerOptions = {},
) {
  const config = loadConfig(await environment(t))
  const host = Fastify(options)
  cleanUp(t, () => host.close())
  if (first) await host.register(pawl, { config })
  habit(host)
  if (!first) await host.register(pawl, { config })
  host.get('/own', { preHandler: host.authenticate }, async ({ auth }) => ({ user: auth?.userId }))
  return host
}

async function checkRoutes(host: FastifyInstance): Promise<void> {
  const { accessToken, refreshToken, email, sessionId } = await signUp(host)
  assert.equal((await logIn(host, email)).json().tokenType, 'Bearer')
  const next = await refresh(host, refreshToken)
  assert.equal(next.json().sessionId, sessionId)
  assert.equal(next.headers['content-type'], 'application/json; charset=utf-8')
  const me = await call(host, accessToken, 'GET', '/auth/me')
  assert.equal(me.json().email, email)
  const { keys } = (await inject(host, { url: '/.well-known/jwks.json' })).json()
  assert.equal(keys[0].use, 'sig')
  assert.deepEqual((await inject(host, { url: '/health/live' })).json(), { status: 'ok' })
  assert.match((await inject(host, { url: '/metrics' })).body, /^# HELP/)

  const invalid = await inject(host, {
    method: 'POST',
    url: '/auth/login',
    payload: { email: 'nobody', password: PASSWORD },
  })
  assert.equal(invalid.statusCode, 400)
  assert.deepEqual(invalid.json().errors, [
    { field: 'email', message: 'must be an e-mail address' },
  ])
  const unknown = { email: newEmail(), password: PASSWORD }
  const refused = await inject(host, { method: 'POST', url: '/auth/login', payload: unknown })
  assert.equal(refused.json().code, 'AUTH_INVALID_CREDENTIALS')
  assert.match(String(refused.headers['content-type']), /^application\/problem\+json/)
  assert.equal((await inject(host, { url: '/auth/me' })).json().code, 'AUTH_MISSING_TOKEN')

  assert.equal((await call(host, accessToken, 'GET', '/own')).statusCode, 200)
  const logout = await call(host, accessToken, 'POST', '/auth/logout')
  assert.deepEqual([logout.statusCode, logout.body], [204, ''])
}

/** Checks what a lax validator or another limit would let through. */
async function checkLimits(host: FastifyInstance): Promise<void> {
  const logIn = (payload: object) => inject(host, { method: 'POST', url: '/auth/login', payload })
  const known = { email: newEmail(), password: PASSWORD }
  for (const payload of [{ ...known, extra: 1 }, { ...known, password: [PASSWORD] }, {}])
    assert.equal((await logIn(payload)).statusCode, 400, JSON.stringify(payload))
  const large = await logIn({ ...known, password: 'x'.repeat(1_000_000) })
  assert.equal(large.json().code, 'PAYLOAD_TOO_LARGE')
}

for (const [name, habit] of Object.entries(HABITS))
  for (const first of [true, false])
    test(`the routes of Pawl are untouched by ${name}, set ${first ? 'after' : 'before'} it`, async (t) => {
      await checkRoutes(await buildHost(t, habit, first))
    })

for (const [name, options] of Object.entries(OPTIONS))
  test(`the routes of Pawl are untouched by ${name} in the options of the application`, async (t) => {
    const host = await buildHost(t, () => {}, true, options)
    await checkLimits(host)
    await checkRoutes(host)
  })
