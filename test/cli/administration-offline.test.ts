import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runCli } from '../support/cli-process.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment, type Env } from '../support/environment.ts'
import { temporaryFolder } from '../support/temporary-files.ts'
import { insertAdmins, userRows } from '../support/users-table.ts'

const ADA = 'ada@example.com'
const BOB = 'bob@example.com'
const NOBODY = 'There is no user nobody@example.com. To see the users: pawl user list\n'

/** Two administrators, and no server. */
async function withUsers(
  t: TestContext,
): Promise<{ env: Env; pawl: (line: string) => ReturnType<typeof runCli> }> {
  const env = await databaseEnvironment(t)
  await insertAdmins(env.DATABASE_URL, ADA, BOB)
  return { env, pawl: (line) => runCli(line.split(' '), env) }
}

test('Without a terminal, destructive commands do nothing unless --yes is given', async (t) => {
  const { env, pawl } = await withUsers(t)
  const before = await userRows(env.DATABASE_URL ?? '')
  const lines = [
    'user disable ada@example.com',
    'user delete ada@example.com',
    'user roles ada@example.com --set author --logout',
    'session revoke --user ada@example.com',
    'revoke-all',
  ]
  await Promise.all(
    lines.map(async (line) => {
      const { code, stdout, stderr } = await pawl(line)
      assert.deepEqual([code, stdout], [1, ''], line)
      assert.match(stderr, /Nothing was done\. To skip this confirmation, add --yes\.\n$/)
    }),
  )
  assert.deepEqual(await userRows(env.DATABASE_URL ?? ''), before)
  assert.deepEqual([...(await openSql(t, env)`select 1 from epochs`)], [])
})

test('Without a running server, a command reports that its change is committed only', async (t) => {
  const { env, pawl } = await withUsers(t)
  const { code, stdout } = await pawl('user disable ada@example.com --yes')
  assert.equal(code, 0)
  assert.match(
    stdout,
    /is disabled.+\nIt is committed, but no running server has published it yet\. .+\n$/,
  )
  const [disabled] = await openSql(
    t,
    env,
  )`select status, ver from users where email = 'ada@example.com'`
  assert.equal(disabled?.status, 'disabled')
  assert.ok(Number(disabled?.ver) > 1)

  for (const line of ['user disable', 'user delete', 'user roles --set author']) {
    const refused = await pawl(`${line} ${BOB}${line.includes('roles') ? '' : ' --yes'}`)
    assert.deepEqual([refused.code, refused.stdout], [1, ''], line)
    assert.equal(refused.stderr, 'There would be no active administrator left\n')
  }
  const unknown = await pawl('user disable nobody@example.com --yes')
  assert.deepEqual([unknown.code, unknown.stderr], [1, NOBODY])
})

test('A command on the embedded database does not wait for a server', async (t) => {
  const { code, stdout } = await runCli(['revoke-all', '--yes', '--json'], {
    PAWL_DATA_DIR: await temporaryFolder(t),
  })
  assert.deepEqual([code, JSON.parse(stdout).inForce], [0, false])
})
