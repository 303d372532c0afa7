import { fileURLToPath } from 'node:url'
import cookie from '@fastify/cookie'
import limits from '@fastify/rate-limit'
import files from '@fastify/static'
import Fastify from 'fastify'
import { loadConfig, pawl, problemDetails } from 'pawl'
import { routes } from './routes.ts'

// A passkey belongs to a host name and not to an address, so 127.0.0.1 would not do.
const { PORT = '3000' } = process.env
const config = loadConfig({ ISSUER: `http://localhost:${PORT}`, ...process.env })
const { origin } = new URL(config.issuer)

const app = Fastify({ logger: { level: config.logLevel }, pluginTimeout: 60_000 })

await app.register(problemDetails)
// Without passwords, there is no login or sign-up of Pawl.
await app.register(pawl, { config, routes: { login: false } })
await app.register(cookie)
await app.register(async (scope) => {
  await scope.register(limits, { max: 100, timeWindow: '1 minute' })
  await scope.register(routes, { origin })
})
await app.register(files, {
  root: fileURLToPath(new URL('../dist', import.meta.url)),
  // Browsers do not run a script that an attacker injects into the page.
  setHeaders: (reply) =>
    reply.header('content-security-policy', "default-src 'self'; img-src data:"),
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())

await app.listen({ host: config.host, port: config.port })
process.stdout.write(`\nThe app is at ${origin}\n\n`)
