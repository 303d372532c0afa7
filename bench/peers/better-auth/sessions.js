import { randomUUID } from 'node:crypto'
import { generateRandomString, makeSignature } from 'better-auth/crypto'
import { hashPassword, PASSWORD } from '../common/passwords.js'
import { asks, mapInBatches } from '../common/seed.js'
import { baseURL, pool } from './auth.js'

/** Creates users who share one password, with one statement for users and one for passwords. */
export async function addUsers(count) {
  const password = await hashPassword(PASSWORD)
  const ids = Array.from({ length: count }, () => randomUUID())
  await pool.query(
    `INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt", role)
     SELECT id, id, id || '@example.com', true, now(), now(), 'user' FROM unnest($1::text[]) AS id`,
    [ids],
  )
  await pool.query(
    `INSERT INTO account
       (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
     SELECT id, id, 'credential', id, $2, now(), now() FROM unnest($1::text[]) AS id`,
    [ids, password],
  )
  return ids
}

/**
 * Creates a session for each user, and the requests of its client. The library creates one session.
 * The sessions of the users are copies of what it stored, with their own ids and tokens, because
 * the library would take too long for ten thousand.
 */
export async function openSessions(auth, userIds) {
  const { internalAdapter, secondaryStorage, authCookies, secret } = await auth.$context
  const [first] = userIds
  const model = await internalAdapter.createSession(first)
  const lifetime = Math.floor((model.expiresAt - Date.now()) / 1000)
  const [stored, list] = await Promise.all([
    secondaryStorage.get(model.token),
    secondaryStorage.get(`active-sessions-${first}`),
  ])

  return mapInBatches(userIds, async (userId) => {
    const session = {
      ...model,
      id: generateRandomString(32),
      token: generateRandomString(32),
      userId,
    }
    const renamed = (text) =>
      text
        .replaceAll(first, userId)
        .replaceAll(model.token, session.token)
        .replaceAll(model.id, session.id)
    const [signature] = await Promise.all([
      makeSignature(session.token, secret),
      secondaryStorage.set(session.token, renamed(stored), lifetime),
      secondaryStorage.set(`active-sessions-${userId}`, renamed(list), lifetime),
    ])
    const value = encodeURIComponent(`${session.token}.${signature}`)
    const cookie = `${authCookies.sessionToken.name}=${value}`
    const revoke = {
      method: 'POST',
      path: '/api/auth/sign-out',
      // The library checks the origin of requests with cookies, to prevent cross-site forgery.
      headers: { cookie, origin: baseURL },
    }
    return { session, authenticate: asks({ cookie }), revoke }
  })
}
