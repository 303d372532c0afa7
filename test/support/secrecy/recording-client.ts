import type { TokenPair } from '../../../src/embedding/views.ts'
import { type HeaderLines, openConnection, request } from '../raw-http.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import { addToken, assertNoSecret, type Secrets } from './secrets.ts'

interface Received {
  status: number
  pair: TokenPair
  /** The cookie of the response as a client sends it back: its name, =, and the refresh token. */
  cookie: string
}

/**
 * Creates a client that adds every token it receives to the secrets, and asserts that no error
 * response contains a secret. If `retries` is true, it repeats a request that gets a 503.
 */
export function createRecordingClient(url: string, secrets: Secrets, retries = true) {
  async function sendOnce(bytes: Buffer | string): Promise<Received> {
    const connection = await openConnection(url)
    connection.send(bytes)
    const { status, headers, body } = await connection.response()
    connection.destroy()
    if (status >= 400) assertNoSecret('an error response', body, secrets)
    const pair = (body.startsWith('{') ? JSON.parse(body) : {}) as TokenPair
    const [cookie = ''] = headers['set-cookie']?.split(';') ?? []
    for (const token of [pair.accessToken, pair.refreshToken, cookie.split('=')[1]])
      if (token) addToken(secrets, token)
    return { status, pair, cookie }
  }
  const send = (bytes: Buffer | string) =>
    retries ? retryUnavailable(() => sendOnce(bytes)) : sendOnce(bytes)
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

export type RecordingClient = ReturnType<typeof createRecordingClient>
