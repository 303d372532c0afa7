import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { type HeaderLines, openConnection, request } from './raw-http.ts'
import { retryUnavailable } from './retry-unavailable.ts'

/** Everything that must not be seen, by what it is. */
export type Secrets = Map<string, string>

export function note(secrets: Secrets, what: string, secret: string): string {
  secrets.set(`${what} (number ${secrets.size})`, secret)
  return secret
}

/** Reads the same in JSON, in a query and in a form. */
export const newPassword = (secrets: Secrets) =>
  note(secrets, 'a password', `Uhr-${randomBytes(12).toString('hex')}`)

export function noteToken(secrets: Secrets, token: string): string {
  const [, payload = '', signature = ''] = token.split('.')
  for (const part of [payload, signature])
    if (part.length > 20) note(secrets, 'a part of a token', part)
  return note(secrets, 'a token', token)
}

export function assertSecrecy(where: string, text: string, secrets: Secrets): void {
  for (const [what, secret] of secrets)
    assert.ok(!text.includes(secret), `${where} contains ${what}`)
  assert.ok(!text.includes('$argon2'), `${where} contains a hash`)
  // Also one that no client ever got.
  assert.ok(!/eyJ[\w-]+\.[\w-]+\./.test(text), `${where} contains a token`)
}

interface Taken {
  status: number
  pair: TokenPair
  /** What the answer sets, as it is sent back: its name, =, and the refresh token. */
  cookie: string
}

/**
 * The client's side: it notes every token that it gets, and looks for secrets in every refusal. Told 503 it comes back,
 * unless it is not `patient`.
 */
export function createClient(url: string, secrets: Secrets, patient = true) {
  async function sendOnce(bytes: Buffer | string): Promise<Taken> {
    const connection = await openConnection(url)
    connection.send(bytes)
    const { status, headers, body } = await connection.answer()
    connection.destroy()
    if (status >= 400) assertSecrecy('a refusal', body, secrets)
    const pair = (body.startsWith('{') ? JSON.parse(body) : {}) as TokenPair
    const [cookie = ''] = headers['set-cookie']?.split(';') ?? []
    for (const token of [pair.accessToken, pair.refreshToken, cookie.split('=')[1]])
      if (token) noteToken(secrets, token)
    return { status, pair, cookie }
  }
  const send = (bytes: Buffer | string) =>
    patient ? retryUnavailable(() => sendOnce(bytes)) : sendOnce(bytes)
  const post = (path: string, body: unknown, headers: HeaderLines = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return send(request('POST', path, { 'Content-Type': 'application/json', ...headers }, text))
  }
  const submit = (path: string, form: Record<string, string>, headers: HeaderLines = {}) =>
    send(
      request(
        'POST',
        path,
        { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
        new URLSearchParams(form).toString(),
      ),
    )
  const bear = (token: string, method = 'GET', path = '/auth/me') =>
    send(request(method, path, { Authorization: `Bearer ${token}` }))
  return { send, post, submit, bear }
}

export type SecretiveClient = ReturnType<typeof createClient>
