import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'
import type { FastifyInstance } from 'fastify'
import { call as callApp, me, signUp } from '../app-requests.ts'
import { cleanUp } from '../clean-up.ts'
import { createClock } from '../clock.ts'
import { newEmail, PASSWORD } from '../credentials.ts'
import { openSql } from '../database.ts'
import { environment } from '../environment.ts'
import { adminToken } from '../events/scenarios.ts'
import { build } from '../in-process-server.ts'
import { inject } from '../retry-unavailable.ts'

const CLIENT = fileURLToPath(new URL('../../../src/client/index.ts', import.meta.url))

const PAGE = `<!doctype html><title>app</title><script type="module">
import { createClient } from '/client.js'
const items = new Map()
const memory = { getItem: (name) => items.get(name) ?? null, setItem: (...item) => items.set(...item) }
const storages = { '?storage': localStorage, '?memory': memory }
const storage = storages[location.search]
window.client = createClient({ baseUrl: '/', ...(storage && { storage }) })
window.changes = []
client.onChange((change) => changes.push({ ...change, at: Date.now() }))
if (location.search === '?start') client.token().then((token) => { window.started = !!token })
window.ready = true
</script>`

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, async () => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Starts a page with the client and Pawl on one origin. */
export async function startSite(t: TestContext) {
  const clock = createClock()
  const env = await environment(t, { ISSUER: 'http://localhost:3000' })
  const app: FastifyInstance = await build(t, env, clock)
  const { outputFiles } = await bundle({
    entryPoints: [CLIENT],
    bundle: true,
    format: 'esm',
    write: false,
  })
  const files: Record<string, { type: string; contents: string | Uint8Array }> = {
    '/': { type: 'text/html', contents: PAGE },
    '/client.js': { type: 'text/javascript', contents: outputFiles[0]?.contents ?? '' },
  }
  const site = {
    app,
    clock,
    url: '',
    credentials: { email: newEmail(), password: PASSWORD },
    /** All requests to Pawl with their origin and the status of the response. */
    calls: [] as { origin: string | undefined; call: string; status: number; key: string }[],
    /** How many responses to a refresh are lost from now on. */
    losses: 0,
    /** Which part of each response to a refresh is held back until the client disconnects. */
    held: undefined as 'all' | 'body' | undefined,
    /** How many such responses no client waits for any more. */
    unreceived: 0,
    refreshes: () => site.calls.filter(({ call }) => call === 'POST /auth/refresh'),
    /** Returns the status of a request with this access token from outside the browser. */
    statusWith: async (accessToken: string) => (await me(app, accessToken)).statusCode,
    /** Ends all sessions of the user as an administrator. */
    async endSessions(): Promise<void> {
      const sql = openSql(t, env)
      const [user] = await sql`select id from users where email = ${site.credentials.email}`
      await callApp(app, await adminToken(app, sql), 'DELETE', `/admin/users/${user?.id}/sessions`)
    },
    /** Returns the server's count of refreshes by outcome. */
    async outcomes(): Promise<Record<string, number>> {
      const { body } = await app.inject('/metrics')
      const lines = body.matchAll(/^pawl_refreshes_total\{outcome="(\w+)"\} (\d+)$/gm)
      return Object.fromEntries([...lines].map(([, outcome, count]) => [outcome, Number(count)]))
    },
  }
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const [path = '/'] = url.split('?')
    const file = files[path]
    if (file) return void response.writeHead(200, { 'content-type': file.type }).end(file.contents)
    const payload = await text(request)
    const pawlResponse = await inject(app, {
      method: method as 'GET',
      url,
      headers,
      ...(payload && { payload }),
    })
    const { statusCode: status } = pawlResponse
    const key = headers['idempotency-key']?.toString() ?? ''
    site.calls.push({ origin: headers.origin, call: `${method} ${path}`, status, key })
    if (path === '/auth/refresh' && site.losses-- > 0) return void request.socket.destroy()
    const held = path === '/auth/refresh' && site.held
    if (held !== 'all') {
      for (const [name, value] of Object.entries(pawlResponse.headers))
        if (value !== undefined) response.setHeader(name, value)
      response.writeHead(status).flushHeaders()
    }
    if (!held) return void response.end(pawlResponse.rawPayload)
    await once(response, 'close')
    site.unreceived++
  })
  site.url = `http://localhost:${await listen(t, server)}`
  await signUp(app, site.credentials.email)
  return site
}

/**
 * Starts another origin and returns its port. Its pages are empty, except that `/redirect?<url>`
 * redirects a request with its method and body.
 */
export function startOtherOrigin(t: TestContext): Promise<number> {
  return listen(
    t,
    createServer(({ url = '/' }, response) => {
      const [path, to] = url.split('?')
      if (path === '/redirect') response.writeHead(307, { location: to }).end()
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><body>')
    }),
  )
}
