import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { readPassword } from '../../src/cli/prompts.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { logIn, me } from '../support/app-requests.ts'
import { runCli } from '../support/cli-process.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { userRows } from '../support/users-table.ts'

test('A user whom the operator created logs in and has the given roles', async (t) => {
  const env = await databaseEnvironment(t)
  const email = newEmail()
  const args = [
    'user',
    'create',
    email.toUpperCase(),
    '--role',
    'admin',
    '--role',
    'editor',
    '--role',
    'admin',
  ]
  const { code, stdout, stderr } = await runCli([...args, '--password-stdin'], env, `${PASSWORD}\n`)
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  const [user] = await userRows(env.DATABASE_URL)
  assert.equal(stdout, `${user?.id} ${email}\n`)
  assert.equal(user?.seeded, false)

  const app = await build(t, env)
  const { accessToken } = (await logIn(app, email)).json()
  assert.deepEqual((await me(app, accessToken)).json().roles, ['admin', 'editor'])
})

test('An address that is taken in another case is refused', async (t) => {
  const env = await databaseEnvironment(t)
  assert.equal((await runCli(['user', 'create', 'ada@example.com'], env, PASSWORD)).code, 0)
  const again = await runCli(['user', 'create', 'ADA@example.com'], env, PASSWORD)
  assert.deepEqual(again, {
    code: 1,
    stdout: '',
    stderr: 'The e-mail address is already registered\n',
  })
})

test('A rejected password is not printed', async (t) => {
  const env = await databaseEnvironment(t)
  for (const [password, reason] of [
    ['', /password is empty/],
    ['hush', /at least 15 characters/],
    ['hush'.repeat(200), /too long/],
    ['password123password', /Do not repeat|easy to guess/],
  ] as const) {
    const { code, stdout, stderr } = await runCli(
      ['user', 'create', 'ada@example.com'],
      env,
      password,
    )
    assert.equal(code, 1)
    assert.match(stderr, reason)
    assert.ok(!/hush|password123/.test(stdout + stderr))
  }
  assert.deepEqual(await userRows(env.DATABASE_URL), [])
})

/** Simulates a person who answers each question at once, and collects what is shown to them. */
function keyboard(...answers: string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let shown = ''
  stdout.on('data', (chunk) => {
    shown += chunk
  })
  stderr.on('data', (chunk) => {
    shown += chunk
    if (String(chunk).endsWith(': ')) stdin.write(answers.shift())
  })
  return { terminal: { env: {}, stdin, stdout, stderr } as unknown as Terminal, shown: () => shown }
}

test('A typed password is asked for twice and never shown', async () => {
  const { terminal, shown } = keyboard('ratchet and pawl\r', 'ratchet and pawl\r')
  assert.equal(await readPassword(terminal, false), 'ratchet and pawl')
  assert.equal(shown(), 'Password: \nRepeat the password: \n')
})

test('A typing error or an interruption at the prompt gives no password', async () => {
  await assert.rejects(
    readPassword(keyboard('ratchet\r', 'rachet\r').terminal, false),
    /not the same/,
  )
  const interrupt = String.fromCharCode(3)
  await assert.rejects(readPassword(keyboard(interrupt).terminal, false), /password is empty/)
  await assert.rejects(
    readPassword(keyboard('ratchet\r', interrupt).terminal, false),
    /not the same/,
  )
})
