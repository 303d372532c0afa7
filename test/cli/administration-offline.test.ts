import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { databaseEnvironment, folder, runCli, userRows } from '../cli-process.ts'
import { openSql } from '../database.ts'
import { type Env, PASSWORD } from '../helper.ts'

const LONG = `${'a-very-long-name-'.repeat(3)}@${'sub.'.repeat(20)}example.com`

async function withUsers(
  t: TestContext,
): Promise<{ env: Env; pawl: (line: string) => ReturnType<typeof runCli> }> {
  const env = await databaseEnvironment(t)
  const pawl = (line: string) => runCli(line.split(' '), env, PASSWORD)
  for (const email of ['ada@example.com', LONG])
    assert.equal((await pawl(`user create ${email} --role admin --json`)).code, 0)
  return { env, pawl }
}

test('where there is nobody to ask, what destroys is not done without --yes', async (t) => {
  const { env, pawl } = await withUsers(t)
  const before = await userRows(env.DATABASE_URL ?? '')
  const lines = [
    'user disable ada@example.com',
    'user delete ada@example.com',
    'user roles ada@example.com --set author --logout',
    'session revoke --user ada@example.com',
    'revoke-all',
  ]
  for (const line of lines) {
    const { code, stdout, stderr } = await pawl(line)
    assert.deepEqual([code, stdout], [1, ''], line)
    assert.match(stderr, /Nothing was done: to do it without being asked, add --yes\.\n$/)
  }
  assert.deepEqual(await userRows(env.DATABASE_URL ?? ''), before)
  assert.deepEqual([...(await openSql(t, env)`select 1 from epochs`)], [])
})

test('with no server to finish it, a command says that it is committed, and what that means', async (t) => {
  const { env, pawl } = await withUsers(t)
  const { code, stdout } = await pawl('user disable ada@example.com --yes')
  assert.equal(code, 0)
  assert.match(stdout, /is disabled.+\nIt is committed\. No server is running.+as soon as one runs\.\n$/)
  const [disabled] = await openSql(t, env)`select status, ver from users where email = 'ada@example.com'`
  assert.deepEqual(disabled, { status: 'disabled', ver: 2 })

  for (const line of ['user disable', 'user delete', 'user roles --set author']) {
    const refused = await pawl(`${line} ${LONG}${line.includes('roles') ? '' : ' --yes'}`)
    assert.deepEqual([refused.code, refused.stdout], [1, ''], line)
    assert.equal(refused.stderr, 'There would be no active administrator left\n')
  }
  const unknown = await pawl('user disable nobody@example.com --yes')
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'There is no user nobody@example.com.\n'])
})

test('the list of users fits a terminal whatever their names, and pages', async (t) => {
  const { pawl } = await withUsers(t)
  const { stdout } = await pawl('user list')
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 3)
  for (const line of lines) assert.ok(line.length <= 80, line)
  assert.match(lines[0] ?? '', /^EMAIL +STATUS +ROLES +CREATED$/)
  assert.match(lines[1] ?? '', /^a-very-long-name-.+… +active +admin +\d{4}-\d\d-\d\d$/)

  const first = JSON.parse((await pawl('user list --limit 1 --json')).stdout)
  assert.deepEqual([first.users[0].email, first.after], [LONG, LONG])
  const second = JSON.parse((await pawl(`user list --limit 1 --after ${first.after} --json`)).stdout)
  assert.deepEqual([second.users[0].email, second.after], ['ada@example.com', undefined])
  const { users } = JSON.parse((await pawl('user list ADA --json')).stdout)
  assert.deepEqual(
    users.map(({ email, roles, status }: Record<string, unknown>) => [email, roles, status]),
    [['ada@example.com', ['admin'], 'active']],
  )
  assert.equal((await pawl('user list a_a')).stdout, 'There are no such users.\n')
})

test('on the embedded database no server runs, and nobody waits for one', async (t) => {
  const env = { PAWL_DATA_DIR: await folder(t), ARGON2_MEMORY_KIB: '1024' }
  assert.equal((await runCli(['user', 'create', 'ada@example.com'], env, PASSWORD)).code, 0)
  const { code, stdout } = await runCli(['user', 'disable', 'ada@example.com', '--yes', '--json'], env)
  assert.deepEqual([code, JSON.parse(stdout).inForce], [0, false])
})
