import { randomBytes, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { loadConfig } from '../../src/config/config.ts'
import { generateSecrets } from '../../src/config/secrets.ts'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { buildServer } from '../../src/server.ts'
import { patiently } from './patience.ts'
import { cloneDatabase } from './services/template.ts'

export type Env = Record<string, string>

export const PASSWORD = 'turn one notch at a time'

/** A variable that the test runner sets. */
export function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests by 'npm test'`)
  return value
}

const stacks = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

/** When the test is over, the last first: what was built on something goes before it. */
export function cleanUp(t: TestContext, step: () => Promise<unknown>): void {
  const stack = stacks.get(t) ?? []
  if (stack.push(step) > 1) return
  stacks.set(t, stack)
  t.after(async () => {
    for (const last of stack.reverse()) await last()
  })
}

/**
 * The environment of a server on the test services: a database and secrets of its own, hashes as cheap as they get. Redis is
 * shared with the tests that run at the same time: whoever revokes everything, or empties it, starts one of his own.
 */
export async function environment(t: TestContext, overrides: Env = {}): Promise<Env> {
  const database = await cloneDatabase()
  cleanUp(t, () => database.drop())
  const secrets = generateSecrets('EdDSA')
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    ISSUER: 'https://auth.example.com',
    DATABASE_URL: database.url,
    REDIS_URL: required('TEST_REDIS_URL'),
    REFRESH_TOKEN_SECRET: secrets.refreshTokenSecret,
    ACCESS_TOKEN_PRIVATE_KEY: secrets.accessTokenPrivateKey,
    KEY_ENCRYPTION_SECRET: secrets.keyEncryptionSecret,
    ARGON2_MEMORY_KIB: '1024',
    RATE_LIMIT: 'off',
    // A machine that runs many tests at once stops a process for longer than the default, now and then.
    REVOCATION_MAX_STALENESS: '10s',
    ...overrides,
  }
}

export interface TestClock {
  (): number
  /** By so many milliseconds; negative is back. */
  advance(ms: number): void
}

export function createClock(start = Date.now()): TestClock {
  let now = start
  return Object.assign(() => now, {
    advance: (ms: number) => {
      now += ms
    },
  })
}

/** The production server in this process, ready for `inject`; it closes itself. */
export async function build(
  t: TestContext,
  overrides: Env = {},
  clock?: () => number,
): Promise<FastifyInstance> {
  const env = { LOG_LEVEL: 'fatal', ...(await environment(t, overrides)) }
  const app = await buildServer(loadConfig(env), clock)
  cleanUp(t, () => app.close())
  await app.ready()
  return app
}

/** Ask again and again; a test that waits in vain is ended by its runner. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(5)
}

export function newEmail(): string {
  return `${randomUUID()}@example.com`
}

export function newRetryKey(): string {
  return randomBytes(16).toString('hex')
}

/** A new account with its first session. */
export async function signUp(
  app: FastifyInstance,
  email = newEmail(),
): Promise<TokenPair & { email: string }> {
  const payload = { email, password: PASSWORD }
  const response = await patiently(() =>
    app.inject({ method: 'POST', url: '/auth/signup', payload }),
  )
  // Told 503 it may have been made.
  const made = response.statusCode === 409 ? await logIn(app, email) : response
  if (made.statusCode >= 300) throw new Error(`signup answered ${made.statusCode}: ${made.body}`)
  return { ...made.json<TokenPair>(), email }
}

export function logIn(
  app: FastifyInstance,
  email: string,
  password = PASSWORD,
): Promise<LightMyRequestResponse> {
  return patiently(() => logInOnce(app, email, password))
}

/** For what may be told 503 on purpose, as the other two below. */
export function logInOnce(
  app: FastifyInstance,
  email: string,
  password = PASSWORD,
): Promise<LightMyRequestResponse> {
  return app.inject({ method: 'POST', url: '/auth/login', payload: { email, password } })
}

/** To ask again what was told 503 is the same as a retry by the client: within the grace, or with its key. */
export function refresh(
  app: FastifyInstance,
  refreshToken: string,
  retryKey?: string,
): Promise<LightMyRequestResponse> {
  return patiently(() => refreshOnce(app, refreshToken, retryKey))
}

export function refreshOnce(
  app: FastifyInstance,
  refreshToken: string,
  retryKey?: string,
): Promise<LightMyRequestResponse> {
  const headers = retryKey ? { 'idempotency-key': retryKey } : {}
  return app.inject({ method: 'POST', url: '/auth/refresh', headers, payload: { refreshToken } })
}

export function me(app: FastifyInstance, accessToken: string): Promise<LightMyRequestResponse> {
  return patiently(() => meOnce(app, accessToken))
}

export function meOnce(app: FastifyInstance, accessToken: string): Promise<LightMyRequestResponse> {
  return app.inject({ url: '/auth/me', headers: { authorization: `Bearer ${accessToken}` } })
}
