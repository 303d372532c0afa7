import { fileURLToPath } from 'node:url'
import files from '@fastify/static'
import Fastify from 'fastify'
import { loadConfig, type MailMessage, pawl, problemDetails } from 'pawl'
import { invoices, PERMISSIONS } from './invoices.ts'

/** Prints a mail, because nothing is set up here that sends it. */
async function printMail({ to, subject, text }: MailMessage): Promise<void> {
  process.stdout.write(`\nMail to ${to}: ${subject}\n\n${text}\n`)
}

const config = loadConfig(process.env)

// The first start creates the embedded database. On a slow machine that takes longer than Fastify's
// default timeout.
const app = Fastify({ logger: { level: config.logLevel }, pluginTimeout: 60_000 })

await app.register(problemDetails)
await app.register(pawl, {
  config: { ...config, rolePermissions: PERMISSIONS },
  ...(!config.smtpUrl && { mail: printMail }),
})
await app.register(invoices, { prefix: '/api' })
await app.register(files, {
  root: fileURLToPath(new URL('../dist', import.meta.url)),
  // Browsers do not run a script that an attacker injects into the page.
  setHeaders: (reply) =>
    reply.header('content-security-policy', "default-src 'self'; img-src data:"),
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())

const url = await app.listen({ host: config.host, port: config.port })
process.stdout.write(`\nThe app is at ${url}\n\n`)
