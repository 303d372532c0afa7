import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'

test('a new installation has no account, and signing up makes no administrator', async (t) => {
  const env = await environment(t)
  const app = await build(t, env)
  const sql = openSql(t, env)
  assert.equal((await sql`select id from users`).length, 0)
  const payload = { email: 'admin@example.com', password: 'a ratchet of another wheel' }
  const response = await app.inject({ method: 'POST', url: '/auth/signup', payload })
  assert.equal(response.statusCode, 201)
  assert.deepEqual([...(await sql`select roles from users`)], [{ roles: [] }])
})
