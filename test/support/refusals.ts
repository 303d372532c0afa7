import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { loadConfig } from '../../src/config/config.ts'
import { ERRORS, type ErrorCode } from '../../src/errors.ts'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { buildServer } from '../../src/server.ts'
import { logIn, signUp } from './app-requests.ts'
import { cleanUp } from './clean-up.ts'
import type { TestClock } from './clock.ts'
import { type Env, environment } from './environment.ts'
import { type Answer, openConnection, request } from './raw-http.ts'

export interface Listening {
  app: FastifyInstance
  url: string
  env: Env
  /** A user's first session. */
  pair: TokenPair & { email: string }
}

/** The production server on a port, with one user. */
export async function listen(t: TestContext, clock?: TestClock): Promise<Listening> {
  const env = await environment(t, { LOG_LEVEL: 'fatal' })
  const app = await buildServer(loadConfig(env), clock)
  cleanUp(t, () => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, url, env, pair: await signUp(app) }
}

/** What a client may send, and the only codes that may come back. */
export interface Refusal {
  name: string
  bytes: Buffer | string
  codes: ErrorCode[]
  /** Send no more after the bytes, as a client that gives up half-way. */
  end?: boolean
  /** The connection has to outlive the refusal. */
  lives?: boolean
}

/**
 * Send each on a connection of its own, and expect a whole problem document. Where the answer leaves the connection
 * open it must serve another request, where not it must end in good order. At the end the server still logs in.
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
      const answer = await connection.answer()
      assertProblem(answer, refusal)
      if (refusal.end || answer.headers.connection === 'close') {
        await connection.ended()
      } else {
        connection.send(request('GET', '/health/live'))
        assert.equal((await connection.answer()).status, 200)
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

export function assertProblem({ status, headers, body }: Answer, { codes, lives }: Refusal): void {
  assert.ok(status >= 400 && status < 500, `answered ${status}: ${body}`)
  assert.match(headers['content-type'] ?? '', /^application\/problem\+json/)
  assert.equal(headers['cache-control'], 'no-store')
  const problem = JSON.parse(body)
  const code = problem.code as ErrorCode
  assert.ok(codes.includes(code), `the code is ${code}: ${body}`)
  assert.equal(problem.status, status)
  assert.equal(ERRORS[code].status, status)
  assert.equal(problem.title, ERRORS[code].title)
  assert.match(problem.type, /^urn:pawl:problem:[a-z-]+$/)
  // A client can put as much as it likes into a request: none of it comes back.
  assert.ok(body.length < 500, `the answer is ${body.length} characters long`)
  assert.equal(headers['www-authenticate'], status === 401 ? CHALLENGES[code] : undefined)
  if (lives) assert.notEqual(headers.connection, 'close')
}

/** By RFC 6750 3: an error only where a token was presented. */
const CHALLENGES: Partial<Record<ErrorCode, string>> = {
  AUTH_INVALID_CREDENTIALS: 'Bearer',
  AUTH_MISSING_TOKEN: 'Bearer',
  AUTH_INVALID_TOKEN: 'Bearer error="invalid_token"',
  AUTH_INVALID_REFRESH_TOKEN: 'Bearer error="invalid_token"',
}

/** The public half of the server's signing key, as everybody can download it. */
export function publicPem(env: Env): string {
  const key = createPrivateKey(signingKeyOf(env))
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString()
}

export function signingKeyOf({ ACCESS_TOKEN_PRIVATE_KEY = '' }: Env) {
  return {
    key: Buffer.from(ACCESS_TOKEN_PRIVATE_KEY, 'base64'),
    format: 'der',
    type: 'pkcs8',
  } as const
}
