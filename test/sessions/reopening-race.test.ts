import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuid } from 'uuid'
import { openPostgres } from '../../src/db/postgres.ts'
import { createSessionRecords } from '../../src/sessions/session-records.ts'
import { createSessionReopener } from '../../src/sessions/session-reopener.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { cleanUp } from '../support/clean-up.ts'
import { newEmail } from '../support/credentials.ts'
import { openSql } from '../support/database.ts'
import { environment } from '../support/environment.ts'
import { SETTINGS, STORES } from '../support/sessions/stores.ts'

test('A session that is revoked while it is being re-opened stays revoked', async (t) => {
  const env = await environment(t)
  const sql = openSql(t, env)
  const database = await openPostgres(env.DATABASE_URL ?? '')
  cleanUp(t, () => database.close())
  const records = createSessionRecords(database)
  const store = await STORES.memory(t, Date.now)
  const [userId, sessionId, now] = [uuid(), uuid(), Date.now()]
  await sql`insert into users (id, email, password_hash) values (${userId}, ${newEmail()}, '')`
  const session = {
    id: sessionId,
    userId,
    createdAt: now,
    expiresAt: now + SETTINGS.refreshIdleTtl,
  }
  await records.insert(session, 1, { ip: '', userAgent: undefined })

  // The logout arrives after the re-opening has found the session live. It runs until it is done or
  // until it waits for a lock.
  let loggedOut = Promise.resolve()
  const logOut = async () => {
    await records.revoke([sessionId], 'logout')
    await store.close(userId, sessionId)
  }
  const isWaiting = async () => {
    while ((await sql`select 1 from pg_locks where not granted`).length === 0) await delay(5)
  }
  const interruptedStore: SessionStore = {
    ...store,
    async open(session) {
      loggedOut = logOut()
      await Promise.race([loggedOut, isWaiting()])
      return store.open(session)
    },
  }
  const { rotate } = createSessionReopener({
    store: interruptedStore,
    records,
    revoker: { announceRevoked: async () => {}, settleVersion: async () => {} },
    cap: { enforce: async () => {} },
    clock: Date.now,
    log: { debug() {}, info() {}, warn() {} },
  })
  const presented = { generation: 1, retryKey: null, tokenExpiresAt: session.expiresAt }
  await rotate({ userId, sessionId, ...presented })
  await loggedOut
  assert.equal(await store.find(userId, sessionId), undefined)
})
