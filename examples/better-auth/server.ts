import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import Fastify from 'fastify'
import { authenticate, authOf, loadConfig, pawl, problemDetails } from 'pawl'
import { createAuth } from './auth.ts'
import { authRoutes } from './auth-routes.ts'
import { exchange } from './exchange.ts'

const config = loadConfig(process.env)
const baseURL = new URL(config.issuer).origin
const app = Fastify({
  logger: { level: config.logLevel },
  trustProxy: config.trustProxy,
  pluginTimeout: 60_000,
})

const auth = createAuth({
  baseURL,
  hasLimits: config.rateLimit,
  onNewPassword: (userId) => app.pawl.sessions.endAll(userId),
  onDeleted: (userId) => app.pawl.users.delete(userId),
})

await app.register(problemDetails)
// better-auth has the passwords, so the routes of Pawl for passwords are left out.
await app.register(pawl, { config, routes: { login: false } })
await app.register(authRoutes, { auth, baseURL })
await app.register(exchange, { auth })

app.get('/api/me', { preHandler: authenticate }, async (request) => authOf(request))

const setHeaders = (reply: { header(name: string, value: string): unknown }) =>
  reply.header('content-security-policy', "default-src 'self'; img-src data:")
await app.register(files, { root: fileURLToPath(new URL('public', import.meta.url)), setHeaders })
// The browser client is made of plain modules, so a page without a bundler can load it.
const clientModules = dirname(fileURLToPath(import.meta.resolve('pawl/client')))
await app.register(files, { root: clientModules, prefix: '/pawl-client/', decorateReply: false })

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())

const url = await app.listen({ host: config.host, port: config.port })
process.stdout.write(`\nThe app is at ${url}\n\n`)
