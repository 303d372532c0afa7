import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import multipart from '@fastify/multipart'
import rateLimit from '@fastify/rate-limit'
import session from '@fastify/session'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import underPressure from '@fastify/under-pressure'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { loadConfig, pawl } from '../../src/index.ts'
import { call, logIn, me, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { SECURE_NAME } from '../support/cookies.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { environment } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'

interface Guest {
  register(host: FastifyInstance): unknown
  /** Shows that the plugin of the host still does its own work. */
  check(host: FastifyInstance): Promise<unknown>
}

const text = async (host: FastifyInstance, url: string) => (await inject(host, { url })).body
const SECRET = 'a secret of the application, of 32 characters or more'

/** The Fastify plugins that applications use most. */
const GUESTS: Record<string, Guest> = {
  cors: {
    register: (host) => host.register(cors, { origin: 'https://own.example.com' }),
    async check(host) {
      const { headers } = await inject(host, { url: '/own' })
      assert.equal(headers['access-control-allow-origin'], 'https://own.example.com')
    },
  },
  helmet: {
    register: (host) => host.register(helmet, { frameguard: { action: 'sameorigin' } }),
    async check(host) {
      assert.equal((await inject(host, { url: '/own' })).headers['x-frame-options'], 'SAMEORIGIN')
    },
  },
  cookie: {
    register: (host) => host.register(cookie, { secret: SECRET }),
    async check(host) {
      assert.ok(host.hasReplyDecorator('setCookie'))
    },
  },
  session: {
    async register(host) {
      await host.register(cookie)
      await host.register(session, { secret: SECRET, cookie: { secure: false } })
    },
    async check(host) {
      assert.ok(host.hasRequestDecorator('session'))
    },
  },
  jwt: {
    register: (host) => host.register(jwt, { secret: SECRET }),
    async check(host) {
      const signed = (host as unknown as { jwt: { sign(p: object): string } }).jwt.sign({ a: 1 })
      assert.equal(signed.split('.').length, 3)
    },
  },
  'rate-limit': {
    register: (host) => host.register(rateLimit, { max: 1_000, timeWindow: '1 minute' }),
    async check(host) {
      assert.equal((await inject(host, { url: '/own' })).headers['x-ratelimit-limit'], '1000')
    },
  },
  swagger: {
    register: (host) =>
      host.register(swagger, { openapi: { info: { title: 'Own', version: '1' } } }),
    async check(host) {
      assert.ok(JSON.stringify(host.swagger()).includes('/own'))
    },
  },
  'swagger-ui': {
    async register(host) {
      await host.register(swagger)
      await host.register(swaggerUi, { routePrefix: '/documentation' })
    },
    async check(host) {
      assert.match(await text(host, '/documentation/'), /<html/i)
    },
  },
  multipart: {
    register: (host) => host.register(multipart),
    async check(host) {
      assert.ok(host.hasContentTypeParser('multipart/form-data'))
    },
  },
  formbody: {
    register: (host) => host.register(formbody),
    async check(host) {
      assert.ok(host.hasContentTypeParser('application/x-www-form-urlencoded'))
    },
  },
  compress: {
    register: (host) => host.register(compress, { global: true, threshold: 0 }),
    async check(host) {
      const headers = { 'accept-encoding': 'gzip' }
      const own = await inject(host, { url: '/own', headers })
      assert.equal(own.headers['content-encoding'], 'gzip')
    },
  },
  'under-pressure': {
    register: (host) => host.register(underPressure, { exposeStatusRoute: '/own-status' }),
    async check(host) {
      assert.equal(await text(host, '/own-status'), '{"status":"ok"}')
    },
  },
  static: {
    register: (host) =>
      host.register(fastifyStatic, { root: import.meta.dirname, prefix: '/files/' }),
    async check(host) {
      assert.match(await text(host, '/files/plugins.test.ts'), /^import/)
    },
  },
  websocket: {
    register: (host) => host.register(websocket),
    async check(host) {
      assert.ok('websocketServer' in host)
    },
  },
  'zod provider': {
    register(host) {
      host.setValidatorCompiler(validatorCompiler)
      host.setSerializerCompiler(serializerCompiler)
    },
    async check(host) {
      const refused = await inject(host, { url: '/zod?count=many' })
      assert.equal(refused.statusCode, 400)
    },
  },
}

async function buildHost(t: TestContext, { register }: Guest, isFirst: boolean) {
  const config = loadConfig(await environment(t))
  const host = Fastify()
  cleanUp(t, () => host.close())
  if (isFirst) await register(host)
  await host.register(pawl, { config })
  if (!isFirst) await register(host)
  host.get('/own', async () => ({ own: 'response' }))
  host.get('/guarded', { preHandler: host.authenticate }, async ({ auth }) => auth?.userId)
  if (register === GUESTS['zod provider']?.register)
    host.get(
      '/zod',
      { schema: { querystring: z.object({ count: z.coerce.number() }) } },
      async () => 'ok',
    )
  await host.ready()
  return host
}

for (const [name, guest] of Object.entries(GUESTS))
  for (const isFirst of [true, false])
    test(`Pawl and ${name} work in one application, ${isFirst ? name : 'Pawl'} first`, async (t) => {
      const host = await buildHost(t, guest, isFirst)
      const { refreshToken, email } = await signUp(host)
      assert.equal((await refresh(host, refreshToken)).statusCode, 200)
      const { accessToken } = (await logIn(host, email)).json()
      assert.equal((await me(host, accessToken)).json().email, email)
      assert.equal((await call(host, accessToken, 'GET', '/guarded')).statusCode, 200)
      assert.equal((await inject(host, { url: '/guarded' })).statusCode, 401)

      const own = { origin: 'https://auth.example.com', 'x-token-delivery': 'cookie' }
      const payload = { email: newEmail(), password: PASSWORD }
      const signedUp = await inject(host, {
        method: 'POST',
        url: '/auth/signup',
        payload,
        headers: own,
      })
      const cookies = [signedUp.headers['set-cookie']].flat().map(String)
      const held = cookies.find((one) => one.startsWith(SECURE_NAME))?.split(';')[0] ?? ''
      const headers = { ...own, cookie: held }
      const byCookie = await inject(host, { method: 'POST', url: '/auth/refresh', headers })
      assert.equal(byCookie.statusCode, 200, byCookie.body)
      assert.equal(byCookie.json().refreshToken, undefined)

      const { keys } = (await inject(host, { url: '/.well-known/jwks.json' })).json()
      assert.equal(keys[0].use, 'sig')
      assert.deepEqual((await inject(host, { url: '/health/live' })).json(), { status: 'ok' })
      await guest.check(host)
      const logout = await call(host, accessToken, 'POST', '/auth/logout')
      assert.equal(logout.statusCode, 204)
      assert.equal((await call(host, accessToken, 'GET', '/guarded')).statusCode, 401)
    })
