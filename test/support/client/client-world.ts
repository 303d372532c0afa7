import type { TestContext } from 'node:test'
import { createClient } from '../../../src/client/index.ts'
import type { Platform } from '../../../src/client/platform.ts'
import type { Change, ClientOptions } from '../../../src/client/types.ts'
import { signUp } from '../app-requests.ts'
import { createClock } from '../clock.ts'
import { newEmail, PASSWORD } from '../credentials.ts'
import type { Env } from '../environment.ts'
import { build } from '../in-process-server.ts'
import { createBrowser } from './browser.ts'

/** Starts a server and simulates a browser on its origin. The user already has an account. */
export async function startWorld(t: TestContext, env: Env = {}) {
  const clock = createClock()
  const app = await build(t, { ISSUER: 'http://127.0.0.1:3000', ...env }, clock)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const browser = createBrowser(url)
  const credentials = { email: newEmail(), password: PASSWORD }
  await signUp(app, credentials.email)

  function open(
    options: Omit<Partial<ClientOptions>, 'platform'> & { platform?: Partial<Platform> } = {},
    without: Parameters<typeof browser.openTab>[0] = {},
  ) {
    const tab = browser.openTab(without)
    const client = createClient({
      baseUrl: url,
      ...options,
      platform: { ...tab.platform, ...options.platform },
    })
    const changes: Change[] = []
    client.onChange((change) => changes.push(change))
    return { ...client, client, tab, changes }
  }

  return {
    app,
    url,
    browser,
    credentials,
    open,
    /** Advances all clocks, the server's too. */
    pass(ms: number, asleep = false) {
      clock.advance(ms)
      browser.pass(ms, asleep)
    },
    /** The server's clock alone. */
    clock,
  }
}

/** Returns a storage of one client. */
export function createMemoryStorage() {
  const items = new Map<string, string>()
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => items.set(name, value),
  }
}

export const MINUTE = 60_000
export const EXPIRY = 15 * MINUTE
/** The server's grace period in milliseconds. After it, a spent token without its key is reuse. */
export const GRACE = 30_000
