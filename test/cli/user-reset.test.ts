import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logIn, signUp } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { inject } from '../support/retry-unavailable.ts'

const NEXT = 'a ratchet of another wheel'

test('A link that the operator prints lets the user set a new password once', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  const { email } = await signUp(app)
  const page = 'https://app.example.com/account'
  const printed = await runCli(['user', 'reset', email, '--link', page], env)
  assert.equal(printed.code, 0, printed.stderr)
  const [link = '', sentence] = printed.stdout.split('\n')
  assert.match(String(sentence), /^It can be used once, until \d{4}-/)
  assert.ok(link.startsWith(`${page}#`))
  const fragment = new URLSearchParams(new URL(link).hash.slice(1))
  assert.equal(fragment.get('purpose'), 'reset-password')

  // A later code makes the first one void.
  const again = await runCli(['user', 'reset', email, '--json'], env)
  const { token } = JSON.parse(again.stdout)
  const reset = (value: string | null) =>
    inject(app, {
      method: 'POST',
      url: '/auth/password/reset',
      payload: { token: value, newPassword: NEXT },
    })
  assert.equal((await reset(fragment.get('token'))).statusCode, 400)
  assert.equal((await reset(token)).statusCode, 204)
  assert.equal((await reset(token)).statusCode, 400)
  assert.equal((await logIn(app, email, NEXT)).statusCode, 200)
  const events = await sql`select detail from security_events where type = 'admin_action'`
  assert.deepEqual(events[0]?.detail, { action: 'password_reset_started', via: 'cli' })
})

test('A page that is no URL, and a disabled user, are refused in words', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const { email } = await signUp(app)
  const noPage = await runCli(['user', 'reset', email, '--link', 'account'], env)
  assert.equal(noPage.code, 2)
  assert.match(noPage.stderr, /URL such as https:/)
  await openSql(t, env)`update users set status = 'disabled'`
  const disabled = await runCli(['user', 'reset', email], env)
  assert.equal(disabled.code, 1)
  assert.match(disabled.stderr, /^The user is disabled\./)
})
