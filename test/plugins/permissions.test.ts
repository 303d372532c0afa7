import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { type Config, loadConfig, pawl } from '../../src/index.ts'
import { logIn, refresh, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { openSql } from '../support/database.ts'
import { type Env, environment } from '../support/environment.ts'
import { inject } from '../support/retry-unavailable.ts'

const ROLE_PERMISSIONS = JSON.stringify({
  editor: ['invoices:read', 'invoices:write'],
  auditor: ['invoices:read', 'ledger:read'],
})

async function setUp(t: TestContext, env: Env, change = (config: Config): Config => config) {
  const app = Fastify()
  cleanUp(t, () => app.close())
  await app.register(pawl, { config: change(loadConfig(env)) })
  const guard = (url: string, options: Parameters<typeof app.authorize>[0]) =>
    app.get(url, { preHandler: app.authorize(options) }, async () => 'in')
  guard('/write', { permissions: ['invoices:write'] })
  guard('/both', { permissions: ['invoices:write', 'ledger:read'] })
  guard('/fresh', { permissions: ['invoices:read'], fresh: true })
  guard('/auditor', { roles: ['auditor'], permissions: ['invoices:read'] })
  guard('/nobody', { permissions: ['moon:land'] })
  await app.ready()
  return { app, sql: openSql(t, env) }
}

type Stack = Awaited<ReturnType<typeof setUp>>

async function tokensOf({ app, sql }: Stack, roles: string[]) {
  const { email } = await signUp(app)
  await sql`update users set roles = ${roles} where email = ${email}`
  return (await logIn(app, email)).json()
}

async function allowed(app: FastifyInstance, accessToken: string): Promise<string[]> {
  const urls = ['/write', '/both', '/fresh', '/auditor', '/nobody']
  const headers = { authorization: `Bearer ${accessToken}` }
  const responses = await Promise.all(urls.map((url) => inject(app, { url, headers })))
  for (const { statusCode } of responses) assert.ok([200, 403].includes(statusCode))
  return urls.filter((_, index) => responses[index]?.statusCode === 200)
}

const claimsOf = (accessToken: string) =>
  JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())

test('all of the permissions are needed, and they may come from several roles', async (t) => {
  const stack = await setUp(t, await environment(t, { ROLE_PERMISSIONS }))
  const expected: [string[], string[]][] = [
    [[], []],
    [['editor'], ['/write', '/fresh']],
    [['auditor'], ['/fresh', '/auditor']],
    [
      ['auditor', 'editor'],
      ['/write', '/both', '/fresh', '/auditor'],
    ],
    // A role without permissions, and a name that every JavaScript object has.
    [['admin', 'constructor'], []],
  ]
  for (const [roles, urls] of expected) {
    const { accessToken } = await tokensOf(stack, roles)
    assert.deepEqual(await allowed(stack.app, accessToken), urls, roles.join())
    assert.equal('permissions' in claimsOf(accessToken), false)
  }
  assert.equal((await stack.app.inject('/write')).statusCode, 401)
})

test('tokens carry permissions if configured, but the configuration decides', async (t) => {
  const settings = { ROLE_PERMISSIONS, TOKEN_PERMISSIONS: 'on' }
  const env = await environment(t, settings)
  const stack = await setUp(t, env)
  const pair = await tokensOf(stack, ['auditor', 'editor'])
  const permissions = ['invoices:read', 'invoices:write', 'ledger:read']
  assert.deepEqual(claimsOf(pair.accessToken).permissions, permissions)
  const next = (await refresh(stack.app, pair.refreshToken)).json()
  assert.deepEqual(claimsOf(next.accessToken).permissions, permissions)
  assert.deepEqual(claimsOf((await tokensOf(stack, [])).accessToken).permissions, [])

  const stricter = await setUp(t, { ...env, ROLE_PERMISSIONS: '{"editor":["invoices:read"]}' })
  assert.deepEqual(await allowed(stricter.app, next.accessToken), ['/fresh', '/auditor'])
})

test('an application configures permissions of its own roles', async (t) => {
  const stack = await setUp(t, await environment(t), (config) => ({
    ...config,
    rolePermissions: { clerk: ['invoices:write'] },
  }))
  const { accessToken } = await tokensOf(stack, ['clerk'])
  assert.deepEqual(await allowed(stack.app, accessToken), ['/write'])
})
