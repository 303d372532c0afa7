import assert from 'node:assert/strict'
import type { Sql } from 'postgres'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from '../helper.ts'
import { patiently } from '../patience.ts'
import type { ServerProcess } from '../server-process.ts'

export const send = (...request: Parameters<typeof sendOnce>) => patiently(() => sendOnce(...request))

/** For what may be told 503 on purpose. */
export function sendOnce(server: ServerProcess, method: string, path: string, token?: string, body?: object) {
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

async function pairOf(answer: Promise<Response>): Promise<TokenPair> {
  const response = await answer
  assert.ok(response.ok, `answered ${response.status}`)
  return (await response.json()) as TokenPair
}

export const refresh = (server: ServerProcess, { refreshToken }: TokenPair) =>
  send(server, 'POST', '/auth/refresh', undefined, { refreshToken })

export const isAccepted = async (server: ServerProcess, { accessToken }: TokenPair) => {
  const { status } = await send(server, 'GET', '/auth/me', accessToken)
  assert.ok(status === 200 || status === 401, `answered ${status}`)
  return status === 200
}

/** A user with two sessions, one of another user, and an administrator. */
export async function cast(server: ServerProcess, sql: Sql) {
  const signUp = async () => {
    const credentials = { email: newEmail(), password: PASSWORD }
    const pair = await pairOf(send(server, 'POST', '/auth/signup', undefined, credentials))
    const me = (await (await send(server, 'GET', '/auth/me', pair.accessToken)).json()) as { id: string }
    const logIn = () => pairOf(send(server, 'POST', '/auth/login', undefined, credentials))
    return { ...credentials, id: me.id, pair, logIn }
  }
  const user = await signUp()
  const admin = await signUp()
  await sql`update users set roles = '{admin}' where id = ${admin.id}`
  const own = await user.logIn()
  return { user, own, other: user.pair, stranger: (await signUp()).pair, admin: await admin.logIn() }
}

export type Cast = Awaited<ReturnType<typeof cast>>
