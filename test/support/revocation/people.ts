import assert from 'node:assert/strict'
import type { Sql } from 'postgres'
import type { TokenPair } from '../../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from '../credentials.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import type { ServerProcess } from '../server-process.ts'
import { me, pairOf, post, signUpAt } from '../server-requests.ts'

/** Sends a request, and repeats it while the response is 503. */
export const send = (...request: Parameters<typeof sendOnce>) =>
  retryUnavailable(() => sendOnce(...request))

/** Sends a request once, for a test that expects 503. */
export function sendOnce(
  server: ServerProcess,
  method: string,
  path: string,
  token?: string,
  body?: object,
) {
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

export const refresh = (server: ServerProcess, { refreshToken }: TokenPair) =>
  send(server, 'POST', '/auth/refresh', undefined, { refreshToken })

export const isAccepted = async (server: ServerProcess, { accessToken }: TokenPair) => {
  const { status } = await send(server, 'GET', '/auth/me', accessToken)
  assert.ok(status === 200 || status === 401, `the status is ${status}`)
  return status === 200
}

/**
 * Creates a user with two sessions (`own`, which makes the requests, and `other`), a session of
 * another user, and a session of an administrator.
 */
export async function createPeople(server: ServerProcess, sql: Sql) {
  const signUp = async () => {
    const credentials = { email: newEmail(), password: PASSWORD }
    const pair = await signUpAt(server.url, credentials)
    const { id } = (await (await me(server.url, pair.accessToken)).json()) as { id: string }
    const logIn = async () => pairOf(await post(server.url, '/auth/login', credentials))
    return { ...credentials, id, pair, logIn }
  }
  const user = await signUp()
  const admin = await signUp()
  await sql`update users set roles = '{admin}' where id = ${admin.id}`
  const own = await user.logIn()
  return {
    user,
    own,
    other: user.pair,
    stranger: (await signUp()).pair,
    admin: await admin.logIn(),
  }
}

export type People = Awaited<ReturnType<typeof createPeople>>
