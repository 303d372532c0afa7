import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import type { createClient } from '../../src/client/index.ts'
import { createMemoryStorage, EXPIRY, startWorld } from '../support/client/client-world.ts'

const ENTRY = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))

/** The globals that the guide for mobile apps names as necessary. */
const NECESSARY = {
  fetch,
  URL,
  Headers,
  AbortController,
  setTimeout: (work: () => void, ms: number) => {
    const timer = setTimeout(work, ms)
    timer.unref()
  },
  performance,
  queueMicrotask,
}

/** Each of them may be missing in React Native or in an old web view. */
const OPTIONAL: Record<string, unknown> = {
  AbortSignal,
  Request,
  crypto,
  structuredClone,
  BroadcastChannel,
  navigator: {},
}

const { outputFiles } = await build({
  entryPoints: [ENTRY],
  bundle: true,
  format: 'iife',
  globalName: 'pawl',
  write: false,
})
const source = outputFiles[0]?.text ?? ''

/** Evaluates the client with a global object that has only these properties. */
function load(globals: object): typeof createClient {
  const context = createContext({ ...globals })
  runInContext(source, context)
  return runInContext('pawl.createClient', context)
}

const cases: [string, Record<string, unknown>][] = [
  ...Object.keys(OPTIONAL).map((name): [string, Record<string, unknown>] => [
    name,
    { ...OPTIONAL, [name]: undefined },
  ]),
  ['AbortSignal.timeout', { ...OPTIONAL, AbortSignal: {} }],
  ['crypto.getRandomValues', { ...OPTIONAL, crypto: {} }],
  ['all that may be missing', {}],
]

for (const [what, optional] of cases) {
  test(`without ${what}, a client signs in, refreshes, repeats a request and signs out`, async (t) => {
    const { url, credentials, clock } = await startWorld(t)
    const globals = { ...NECESSARY, ...optional }
    // A property that is undefined still exists. The client must see none.
    for (const [name, value] of Object.entries(globals))
      if (value === undefined) delete (globals as Record<string, unknown>)[name]
    const storage = createMemoryStorage()
    const client = load(globals)({ baseUrl: url, storage })
    const { sessionId } = await client.login(credentials)
    const me = async () => {
      const response = await client.fetch(`${url}/auth/me`, { headers: { accept: '*/*' } })
      return ((await response.json()) as { sessionId?: string }).sessionId
    }
    assert.equal(await me(), sessionId)
    assert.match((await client.refresh()) ?? '', /^eyJ/)
    // The client's clock does not move, so that it learns from a 401 that its token has expired.
    clock.advance(EXPIRY)
    assert.equal(await me(), sessionId)
    await client.logout()
    assert.equal(await client.token(), undefined)
    client.close()
  })
}
