import { randomUUID } from 'node:crypto'
import { generateRandomString, makeSignature } from 'better-auth/crypto'
import { hashPassword, PASSWORD } from '../common/passwords.js'
import { asks, mapInBatches } from '../common/seed.js'
import { baseURL, pool } from './auth.js'

/** Creates new users in one statement each for users and passwords, all with one password. */
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

/**
 * Creates a session for each user and the requests of its client. The library creates the first
 * one. The others are copies of what it stored, under names of their own, because ten thousand
 * would take the library too long.
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
    const cookie = `${authCookies.sessionToken.name}=${encodeURIComponent(`${session.token}.${signature}`)}`
    const revoke = {
      method: 'POST',
      path: '/api/auth/sign-out',
      // Protects against forged requests: a client that sends cookies also sends its origin.
      headers: { cookie, origin: baseURL },
    }
    return { session, authenticate: asks({ cookie }), revoke }
  })
}
