import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { loadConfig, pawl } from '../../src/index.ts'
import { call, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

/** What proxies write about the client, and the address that it says. */
const WRITTEN: [forwardedFor: string, address: string | null][] = [
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:51234', '203.0.113.7'],
  ['"203.0.113.7:51234"', '203.0.113.7'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['"[2001:db8::1]"', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['"[2001:db8::1]:443"', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:51234', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['unknown', null],
  ['203.0.113.7:port', null],
  ['[203.0.113.7]:80', null],
  ['[2001:db8::1', null],
]

/** Logs in through the proxies that wrote the header, and returns the new session's access token. */
async function logInFrom(app: FastifyInstance, email: string, forwardedFor: string) {
  const response = await inject(app, {
    method: 'POST',
    url: '/auth/login',
    headers: { 'x-forwarded-for': forwardedFor },
    payload: { email, password: PASSWORD },
  })
  assert.equal(response.statusCode, 200, `${forwardedFor}: ${response.body}`)
  return response.json()
}

async function addressInList(app: FastifyInstance, accessToken: string): Promise<unknown> {
  const { sessions } = (await call(app, accessToken, 'GET', '/auth/sessions')).json()
  return sessions.find(({ current }: { current: boolean }) => current).ip
}

/** Builds an application of somebody else, behind proxies, that has registered Pawl. */
async function buildProxied(t: TestContext, overrides: Env = {}, trustProxy = true) {
  const host = Fastify({ trustProxy })
  cleanUp(t, () => host.close())
  await host.register(pawl, { config: loadConfig(await environment(t, overrides)) })
  return host
}

test('sessions and events show the address that a proxy wrote, without its port', async (t) => {
  const env = await environment(t, { TRUST_PROXY: 'loopback' })
  const app = await build(t, env)
  const sql = openSql(t, env)
  const { email } = await signUp(app)
  const expected = new Map<string, string | null>()
  for (const [forwardedFor, address] of WRITTEN) {
    const { sessionId, accessToken } = await logInFrom(app, email, forwardedFor)
    assert.equal(await addressInList(app, accessToken), address, forwardedFor)
    expected.set(sessionId, address)
  }
  const logins = () =>
    sql`select session_id, ip from security_events where session_id in ${sql([...expected.keys()])}`
  await until(async () => (await logins()).length >= expected.size)
  for (const { session_id: id, ip } of await logins()) assert.equal(ip, expected.get(id))
})

test('an application behind a proxy shows the address without the port as well', async (t) => {
  const host = await buildProxied(t)
  const { email } = await signUp(host)
  for (const [forwardedFor, address] of WRITTEN) {
    const { accessToken } = await logInFrom(host, email, forwardedFor)
    assert.equal(await addressInList(host, accessToken), address, forwardedFor)
  }
})

test('a trusted proxy is recognized by its address, whatever port it has', async (t) => {
  const app = await build(t, {
    TRUST_PROXY: 'loopback, 10.1.0.0/16, fd00::/8, ::ffff:10.2.0.0/112',
  })
  const { email } = await signUp(app)
  const chains: [forwardedFor: string, address: string][] = [
    ['198.51.100.1, 203.0.113.7:51234, 10.1.2.3:443', '203.0.113.7'],
    ['198.51.100.1, 203.0.113.7:51234, [fd00::5]:443, ::ffff:10.1.2.3', '203.0.113.7'],
    ['203.0.113.7, 10.2.0.9, [::ffff:10.2.0.9]:80', '203.0.113.7'],
    // What the client wrote itself comes before the first proxy that is not trusted.
    ['203.0.113.7, 10.3.0.1:443, 10.1.2.3', '10.3.0.1'],
    ['203.0.113.7, fe00::1, 10.1.2.3', 'fe00::1'],
  ]
  for (const [forwardedFor, address] of chains) {
    const { accessToken } = await logInFrom(app, email, forwardedFor)
    assert.equal(await addressInList(app, accessToken), address, forwardedFor)
  }
})

/** Sends sign-ups without a body, which count for the limit of 10 a minute and cost nothing. */
async function countAllowed(app: FastifyInstance, addresses: string[]): Promise<number> {
  let allowed = 0
  for (const address of addresses) {
    const headers = { 'x-forwarded-for': address }
    const request = { method: 'POST', url: '/auth/signup', headers, payload: {} } as const
    const { statusCode } = await app.inject(request)
    if (statusCode !== 429) allowed += 1
  }
  return allowed
}

const times = (count: number, address: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => address(index))

for (const [where, create] of [
  ['the server', (t) => build(t, { RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' })],
  ['an application', (t) => buildProxied(t, { RATE_LIMIT: 'on' })],
] satisfies [string, (t: TestContext) => Promise<FastifyInstance>][]) {
  test(`in ${where} another port is the same address to the limit`, async (t) => {
    const app = await create(t)
    assert.equal(
      await countAllowed(
        app,
        times(15, (i) => `203.0.113.7:${50_000 + i}`),
      ),
      10,
    )
    assert.equal(
      await countAllowed(
        app,
        times(5, () => '::ffff:203.0.113.7'),
      ),
      0,
    )
    assert.equal(
      await countAllowed(
        app,
        times(15, (i) => `[2001:db8::1]:${50_000 + i}`),
      ),
      10,
    )
    assert.equal(await countAllowed(app, ['198.51.100.7:50000']), 1)
  })

  test(`in ${where} clients without a known address share one limit`, async (t) => {
    const app = await create(t)
    assert.equal(
      await countAllowed(
        app,
        times(15, (i) => `unknown-${i}`),
      ),
      10,
    )
  })

  test(`in ${where} IPv6 is limited by /64, and ten times as loosely by /48`, async (t) => {
    const app = await create(t)
    assert.equal(
      await countAllowed(
        app,
        times(15, (i) => `2001:db8:1:1::${i}`),
      ),
      10,
    )
    // Nine more networks of the same site have their own limit, and together they use up its limit.
    const others = times(90, (i) => `2001:db8:1:${2 + Math.floor(i / 10)}::${i}`)
    assert.equal(await countAllowed(app, others), 90)
    assert.equal(await countAllowed(app, ['2001:db8:1:ffff::1']), 0)
    assert.equal(await countAllowed(app, ['2001:db8:2:1::1']), 1)
    // IPv4 addresses have no site.
    assert.equal(
      await countAllowed(
        app,
        times(120, (i) => `198.51.100.${i}`),
      ),
      120,
    )
  })
}

test('an application that listens on a Unix socket has limits and sessions too', async (t) => {
  const host = await buildProxied(t, { RATE_LIMIT: 'on' }, false)
  const socketPath = join(await temporaryFolder(t), 'socket')
  await host.listen({ path: socketPath })
  const signUp = { email: newEmail(), password: PASSWORD }
  const [response] = (await once(
    request({
      socketPath,
      method: 'POST',
      path: '/auth/signup',
      headers: { 'content-type': 'application/json' },
    }).end(JSON.stringify(signUp)),
    'response',
  )) as [IncomingMessage]
  const pair = JSON.parse(await text(response))
  assert.equal(response.statusCode, 201)
  assert.equal(await addressInList(host, pair.accessToken), null)
})
