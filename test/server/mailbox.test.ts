import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import type { Env } from '../support/environment.ts'
import { environment } from '../support/environment.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

async function serveEmbedded(t: TestContext, overrides: Env = {}) {
  const folder = join(await temporaryFolder(t), 'data')
  const env = { PAWL_DATA_DIR: folder, LOG_LEVEL: 'fatal', ARGON2_MEMORY_KIB: '1024', ...overrides }
  const app = await buildServer(loadConfig(env))
  cleanUp(t, () => app.close())
  await app.ready()
  return app
}

test('the mailbox of the embedded default is for this machine only', async (t) => {
  const app = await serveEmbedded(t)
  const payload = { email: newEmail(), password: PASSWORD }
  await app.inject({ method: 'POST', url: '/auth/signup', payload })
  const read = (headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
    app.inject({
      url: '/playground/mails.json',
      remoteAddress,
      headers: { host: 'localhost:3000', ...headers },
    })
  await until(async () => (await read()).json().length === 1)
  const [mail] = (await read()).json()
  assert.equal(mail.to, payload.email)
  assert.match(mail.link, /#token=[\w-]{43}&purpose=verify-address$/)
  assert.equal((await read()).headers['cache-control'], 'no-store')
  assert.equal((await read({ host: '[::1]:3000' }, '::1')).statusCode, 200)

  for (const [headers, address] of [
    [{}, '192.0.2.7'],
    [{}, '::ffff:192.0.2.7'],
    [{ host: 'auth.example.com' }, '127.0.0.1'],
    [{ host: 'localhost.evil.example' }, '127.0.0.1'],
    [{ 'x-forwarded-for': '127.0.0.1' }, '127.0.0.1'],
    [{ forwarded: 'for=127.0.0.1' }, '127.0.0.1'],
    [{ 'sec-fetch-site': 'cross-site' }, '127.0.0.1'],
    [{ 'sec-fetch-site': 'same-site' }, '127.0.0.1'],
  ] as [Record<string, string>, string][]) {
    const response = await read(headers, address)
    assert.equal(response.statusCode, 404, JSON.stringify([headers, address]))
    assert.ok(!response.body.includes(mail.link))
  }
})

test('there is no mailbox without the playground, with a mail server, or with Postgres', async (t) => {
  const url = '/playground/mails.json'
  const host = { host: 'localhost' }
  const smtp = { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'pawl@example.com' }
  for (const overrides of [{ PLAYGROUND: 'false' }, smtp]) {
    const app = await serveEmbedded(t, overrides)
    assert.equal((await app.inject({ url, headers: host })).statusCode, 404)
    await app.close()
  }
  const env = await environment(t, { PLAYGROUND: 'true', LOG_LEVEL: 'fatal' })
  const app = await buildServer(loadConfig(env))
  cleanUp(t, () => app.close())
  assert.equal((await app.inject({ url, headers: host })).statusCode, 404)
})
