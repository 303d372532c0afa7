import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import cookie from '@fastify/cookie'
import files from '@fastify/static'
import Fastify from 'fastify'
import { authenticate, authOf, authorize, loadConfig, pawl, problemDetails } from 'pawl'
import { startDemoProvider } from './demo-provider.ts'
import { createOpenIdClient } from './openid-client.ts'
import { signIn } from './sign-in.ts'

const { OIDC_ISSUER, OIDC_NAME, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET } = process.env
const config = loadConfig(process.env)
// Not the Host header of a request, which the sender chooses.
const callback = new URL('/sign-in/callback', config.issuer)

const provider = OIDC_ISSUER
  ? {
      name: OIDC_NAME ?? '',
      issuer: new URL(OIDC_ISSUER),
      clientId: OIDC_CLIENT_ID ?? '',
      clientSecret: OIDC_CLIENT_SECRET ?? '',
    }
  : await startDemoProvider(callback)

const app = Fastify({ logger: { level: config.logLevel }, pluginTimeout: 60_000 })

await app.register(problemDetails)
// Nobody has a password here, so the routes for passwords are left out.
await app.register(pawl, { config, routes: { login: false } })
await app.register(cookie)
await app.register(signIn, { client: createOpenIdClient({ ...provider, callback }), callback })

app.get('/api/me', { preHandler: authenticate }, async (request) => authOf(request))
// The page sends the user to the provider again if they signed in more than five minutes ago.
app.post('/api/payout', { preHandler: authorize({ maxAge: '5m' }) }, async () => ({ paid: true }))

const setHeaders = (reply: { header(name: string, value: string): unknown }) =>
  reply.header('content-security-policy', "default-src 'self'; img-src data:")
await app.register(files, { root: fileURLToPath(new URL('public', import.meta.url)), setHeaders })
// The browser client is made of plain modules, so a page without a bundler can load it.
const clientModules = dirname(fileURLToPath(import.meta.resolve('pawl/client')))
await app.register(files, { root: clientModules, prefix: '/pawl-client/', decorateReply: false })

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => app.close().then(() => process.exit()))

const url = await app.listen({ host: config.host, port: config.port })
process.stdout.write(`\nThe app is at ${url}\n\n`)
