import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCli } from '../support/cli-process.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { insertAdmins } from '../support/users-table.ts'

const LONG = `${'a-very-long-name-'.repeat(3)}@${'sub.'.repeat(20)}example.com`

test('The list of users fits a terminal, filters by prefix and pages', async (t) => {
  const env = await databaseEnvironment(t)
  await insertAdmins(env.DATABASE_URL, 'ada@example.com', LONG)
  const pawl = (line: string) => runCli(line.split(' '), env)
  const [table, first, second, ada, none] = await Promise.all([
    pawl('user list'),
    pawl('user list --limit 1 --json'),
    pawl(`user list --limit 1 --after ${LONG.toUpperCase()} --json`),
    pawl('user list ADA --json'),
    pawl('user list a_a'),
  ])
  const lines = table.stdout.trimEnd().split('\n')
  assert.equal(lines.length, 3)
  for (const line of lines) assert.ok(line.length <= 80, line)
  assert.match(lines[0] ?? '', /^USER +STATUS +ROLES +CREATED$/)
  assert.match(lines[1] ?? '', /^a-very-long-name-.+… +active +admin +\d{4}-\d\d-\d\d$/)

  const emails = (stdout: string) =>
    JSON.parse(stdout).users.map((user: { email: string }) => user.email)
  assert.deepEqual([emails(first.stdout), JSON.parse(first.stdout).after], [[LONG], LONG])
  assert.deepEqual(
    [emails(second.stdout), JSON.parse(second.stdout).after],
    [['ada@example.com'], undefined],
  )
  const [{ roles, status }] = JSON.parse(ada.stdout).users
  assert.deepEqual([emails(ada.stdout), roles, status], [['ada@example.com'], ['admin'], 'active'])
  assert.equal(none.stdout, 'There are no such users.\n')
})
