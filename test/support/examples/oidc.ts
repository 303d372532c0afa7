import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Env, environment } from '../environment.ts'
import { retryUnavailable } from '../retry-unavailable.ts'
import { ROOT } from '../services/sources.ts'
import { type Example, findExample } from './example.ts'
import { createVisitor, type Visitor } from './visitor.ts'

export const oidc: Example = findExample('oidc', 'server.ts')

/** The public origin of the app in the tests. */
export const ORIGIN = 'https://app.example.com'
export const CALLBACK = `${ORIGIN}/sign-in/callback`

/** Returns whether the address is the callback, so that a visitor stops before it. */
export const isCallback = ({ pathname }: URL): boolean => pathname === '/sign-in/callback'

/** Returns what the provider of the tests knows about a user: the name says whether it is sure. */
const claimsOf = (sub: string) => ({
  sub,
  email: sub.startsWith('same-') ? 'same@example.com' : `${sub.slice(-20)}@example.com`,
  email_verified: !sub.startsWith('unverified-'),
})

/** Starts a provider and the app on the test services. */
export async function startApp(t: TestContext, overrides: Env = {}) {
  const module = pathToFileURL(join(ROOT, 'examples/oidc/demo-provider.ts')).href
  const { startDemoProvider } = await import(module)
  const provider = await startDemoProvider(new URL(CALLBACK), claimsOf)
  const env = await environment(t, {
    ISSUER: ORIGIN,
    OIDC_NAME: 'corp',
    OIDC_ISSUER: provider.issuer.href,
    OIDC_CLIENT_ID: provider.clientId,
    OIDC_CLIENT_SECRET: provider.clientSecret,
    ...overrides,
  })
  const server = await oidc.start(t, env)
  return { server, env, visit: () => createVisitor({ [ORIGIN]: server.url }) }
}

/**
 * Signs in at the provider, from the app's link to the page that comes last. Returns that page's
 * address.
 */
export async function signIn(
  visitor: Visitor,
  sub: string,
  { origin = ORIGIN, isLast = (_url: URL): boolean => false } = {},
): Promise<URL> {
  const form = await visitor.open(`${origin}/sign-in`)
  const consent = await visitor.submit(form, { login: sub, password: 'anything' }, isLast)
  if (!/name="prompt" value="consent"/.test(consent.text)) return consent.url
  return (await visitor.submit(consent, {}, isLast)).url
}

/** Refreshes by the cookie as the page does. Returns undefined if there is no session. */
export async function accessTokenOf(
  visitor: Visitor,
  origin: string = ORIGIN,
): Promise<string | undefined> {
  const headers = { 'x-token-delivery': 'cookie' }
  const response = await retryUnavailable(() =>
    visitor.send(`${origin}/auth/refresh`, { method: 'POST', headers }),
  )
  if (response.status === 401) return undefined
  assert.equal(response.status, 200)
  return ((await response.json()) as { accessToken: string }).accessToken
}

/** Calls a route of the app with the visitor's access token. */
export async function call(
  visitor: Visitor,
  method: string,
  path: string,
  origin: string = ORIGIN,
): Promise<Response> {
  const headers = { authorization: `Bearer ${await accessTokenOf(visitor, origin)}` }
  return retryUnavailable(() => visitor.send(`${origin}${path}`, { method, headers }))
}
