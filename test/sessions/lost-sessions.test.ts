import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { openPostgres } from '../../src/db/postgres.ts'
import { createLostSessionRecords } from '../../src/sessions/lost-session-records.ts'
import { createLostSessions } from '../../src/sessions/lost-sessions.ts'
import { createSessionRecords } from '../../src/sessions/session-records.ts'
import { createUserChangeRecords } from '../../src/users/user-change-records.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { databaseEnvironment } from '../support/environment.ts'
import { SETTINGS, STORES } from '../support/sessions/stores.ts'

/** Opens a session whose row is lost, and returns what settles it. */
async function setUp(t: TestContext) {
  const { DATABASE_URL } = await databaseEnvironment(t)
  const sql = openSql(t, { DATABASE_URL })
  const database = await openPostgres(DATABASE_URL)
  cleanUp(t, () => database.close())
  const store = await STORES.memory(t, Date.now)
  const [userId, now] = [uuid(), Date.now()]
  const sessionId = uuid()
  await sql`insert into users (id, email, password_hash) values (${userId}, ${newEmail()}, '')`
  await store.open({
    userId,
    sessionId,
    absoluteExpiry: now + SETTINGS.refreshIdleTtl,
    authorization: { ver: 1, roles: [] },
    generation: 1,
    retryKey: null,
  })
  /** Settles the session, and runs `meanwhile` right after it was found live. */
  const settle = (meanwhile = async () => {}) => {
    const { settle } = createLostSessions({
      records: createLostSessionRecords(database),
      store: {
        ...store,
        async find(...session) {
          const status = await store.find(...session)
          await meanwhile()
          return status
        },
      },
      revoker: { revokeSessions: async () => {} },
      isRevoked: () => false,
      log: { debug() {}, info() {}, warn() {} },
    })
    return settle(new Map([[sessionId, { userId, generation: 2, lastSeenAt: now }]]))
  }
  const rows = () => sql`select revoked_reason from sessions where id = ${sessionId}`
  return { database, sql, store, userId, sessionId, settle, rows }
}

test('A logout that commits while a lost row is inserted again is not undone', async (t) => {
  const { database, userId, sessionId, settle, rows } = await setUp(t)
  const { revokeEvenLost } = createSessionRecords(database)
  await settle(() => revokeEvenLost([{ userId, sessionId }], 'logout'))
  assert.deepEqual([...(await rows())], [{ revoked_reason: 'logout' }])
})

test('The end of all sessions that commits meanwhile is not undone', async (t) => {
  const { database, store, userId, settle, rows } = await setUp(t)
  const { apply } = createUserChangeRecords(database)
  const change = { revokeSessions: { reason: 'ended_by_admin' } } as const
  const waiting = await settle(async () => void (await apply(userId, change, async () => {})))
  assert.deepEqual([...(await rows())], [])
  assert.equal(waiting.size, 1)

  // The change reaches the hot state, and then nothing waits any more.
  await store.closeAll(userId)
  assert.equal((await settle()).size, 0)
  assert.deepEqual([...(await rows())], [])
})

test('A change of roles that commits meanwhile delays the row and does not prevent it', async (t) => {
  const { database, store, userId, settle, rows } = await setUp(t)
  const { apply } = createUserChangeRecords(database)
  const changed = { ver: 0, roles: ['editor'] }
  const waiting = await settle(async () => {
    const result = await apply(userId, { set: { roles: changed.roles } }, async () => {})
    changed.ver = result?.user.ver ?? 0
  })
  assert.equal(waiting.size, 1)
  await store.setAuthorization(userId, changed)
  assert.equal((await settle()).size, 0)
  assert.deepEqual([...(await rows())], [{ revoked_reason: null }])
})

test('A login whose session was evicted before its row was there is not successful', async (t) => {
  const { database, userId, sessionId, rows } = await setUp(t)
  const { insert, revokeEvenLost } = createSessionRecords(database)
  await revokeEvenLost([{ userId, sessionId }], 'session_cap')
  const session = { id: sessionId, userId, createdAt: Date.now(), expiresAt: Date.now() + 1_000 }
  assert.equal(await insert(session, 1, { ip: '', userAgent: undefined }), false)
  assert.deepEqual([...(await rows())], [{ revoked_reason: 'session_cap' }])
})
