import { randomUUID } from 'node:crypto'
import { makeSignature } from 'better-auth/crypto'
import { hashPassword, PASSWORD } from '../shared/passwords.js'
import { asks, mapInBatches } from '../shared/seed.js'
import { baseURL, pool } from './auth.js'

/** So many new users in one statement each for user and password, all with one password. */
export async function addUsers(count) {
  const password = await hashPassword(PASSWORD)
  const ids = Array.from({ length: count }, () => randomUUID())
  await pool.query(
    `INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt", role)
     SELECT id, id, id || '@example.com', true, now(), now(), 'user' FROM unnest($1::text[]) AS id`,
    [ids],
  )
  await pool.query(
    `INSERT INTO account (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
     SELECT id, id, 'credential', id, $2, now(), now() FROM unnest($1::text[]) AS id`,
    [ids, password],
  )
  return ids
}

/** A session of each user's by the library's own adapter, and the request that it is asked with. */
export async function openSessions(auth, userIds) {
  const { internalAdapter, authCookies, secret } = await auth.$context
  return mapInBatches(userIds, async (userId) => {
    const session = await internalAdapter.createSession(userId)
    const value = encodeURIComponent(`${session.token}.${await makeSignature(session.token, secret)}`)
    const cookie = `${authCookies.sessionToken.name}=${value}`
    const revoke = {
      method: 'POST',
      path: '/api/auth/sign-out',
      // Against forged requests: who sends cookies says from where.
      headers: { cookie, origin: baseURL },
    }
    return { userId, session, authenticate: asks({ cookie }), revoke }
  })
}
