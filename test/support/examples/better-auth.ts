import type { TestContext } from 'node:test'
import { newEmail, PASSWORD } from '../credentials.ts'
import { type Env, environment } from '../environment.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import { type Example, findExample } from './example.ts'
import { createVisitor } from './visitor.ts'

export const betterAuth: Example = findExample('better-auth', 'server.ts')

/** The public origin of the app in the tests. */
export const ORIGIN = 'https://app.example.com'

/** Starts the app on the test services. */
export async function startApp(t: TestContext, overrides: Env = {}) {
  const env = await environment(t, { ISSUER: ORIGIN, ...overrides })
  const server = await betterAuth.start(t, env)
  return { env, visit: () => createUser(server.url) }
}

/** Creates somebody with a browser and an account to be, who calls the app as its page does. */
export function createUser(url: string) {
  const visitor = createVisitor({ [ORIGIN]: url })
  const email = newEmail()

  const post = (path: string, body?: object, headers: Record<string, string> = {}) =>
    retryUnavailable(() =>
      visitor.send(ORIGIN + path, {
        method: 'POST',
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          origin: ORIGIN,
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
      }),
    )

  return {
    post,
    cookies: () => [...visitor.jarOf(new URL(ORIGIN)).keys()].sort(),
    signUp: () => post('/api/auth/sign-up/email', { email, password: PASSWORD, name: 'Ada' }),
    signIn: (password = PASSWORD) => post('/api/auth/sign-in/email', { email, password }),
    exchange: (headers: Record<string, string> = {}) =>
      post('/api/session', {}, { 'x-token-delivery': 'cookie', ...headers }),
    /** Refreshes by the cookie. */
    refresh: () => post('/auth/refresh', undefined, { 'x-token-delivery': 'cookie' }),
    me: (accessToken: string) =>
      retryUnavailable(() =>
        visitor.send(`${ORIGIN}/api/me`, { headers: { authorization: `Bearer ${accessToken}` } }),
      ),
    /** Returns what better-auth knows about the browser's session. */
    session: async () => (await visitor.send(`${ORIGIN}/api/auth/get-session`)).json(),
  }
}
