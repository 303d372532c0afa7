import assert from 'node:assert/strict'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import { logIn } from './app-requests.ts'
import type { Listening } from './listening-server.ts'
import { openConnection, type RawResponse, request } from './raw-http.ts'

/** A request that must be refused, and the codes that the response may have. */
export interface Refusal {
  name: string
  bytes: Buffer | string
  codes: ErrorCode[]
  /** Whether the client sends no more after the bytes, like one that gives up. */
  end?: boolean
  /** Whether the connection must stay open. */
  lives?: boolean
}

/**
 * Sends each request on a connection of its own and expects a problem document. If the response
 * leaves the connection open, it must serve another request; otherwise it must be closed without a
 * reset. Afterwards a login must still succeed.
 */
export async function expectRefusals(
  { app, url, pair }: Listening,
  refusals: Refusal[],
): Promise<void> {
  assert.ok(refusals.length > 0)
  for (const refusal of refusals) {
    const connection = await openConnection(url)
    try {
      connection.send(refusal.bytes)
      if (refusal.end) connection.end()
      const response = await connection.response()
      assertProblem(response, refusal)
      if (refusal.end || response.headers.connection === 'close') {
        await connection.ended()
      } else {
        connection.send(request('GET', '/health/live'))
        assert.equal((await connection.response()).status, 200)
      }
    } catch (error) {
      assert.fail(
        `${refusal.name}: ${error instanceof Error ? error.message : error}`.slice(0, 500),
      )
    } finally {
      connection.destroy()
    }
  }
  assert.equal((await logIn(app, pair.email)).statusCode, 200)
}

export function assertProblem(
  { status, headers, body }: RawResponse,
  { codes, lives }: Refusal,
): void {
  assert.ok(status >= 400 && status < 500, `the response is ${status}: ${body}`)
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  assert.equal(headers['cache-control'], 'no-store')
  const problem = JSON.parse(body)
  const code = problem.code as ErrorCode
  assert.ok(codes.includes(code), `the code is ${code}: ${body}`)
  assert.equal(problem.status, status)
  assert.equal(ERRORS[code].status, status)
  assert.equal(problem.title, ERRORS[code].title)
  assert.match(problem.type, /^urn:pawl:problem:[a-z-]+$/)
  // A request can contain anything of any length, and the response must not repeat it.
  assert.ok(body.length < 500, `the response is ${body.length} characters long`)
  assert.equal(headers['www-authenticate'], status === 401 ? CHALLENGES[code] : undefined)
  if (lives) assert.notEqual(headers.connection, 'close')
}

/** The challenges of RFC 6750 3: they have an error only if a token was presented. */
const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  AUTH_INVALID_CREDENTIALS: 'Bearer',
  AUTH_MISSING_TOKEN: 'Bearer',
  AUTH_INVALID_TOKEN: 'Bearer error="invalid_token"',
  AUTH_INVALID_REFRESH_TOKEN: 'Bearer error="invalid_token"',
}
