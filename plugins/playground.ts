import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { constantHeaders } from '../src/http/constant-headers.ts'
import { isLocalRequest } from '../src/http/local-request.ts'
import type { Mailbox } from '../src/mail/mailbox.ts'

export interface PlaygroundOptions {
  /** Milliseconds for which a spent refresh token still gets its successor. The page shows them. */
  grace: number
  /** Whether the page offers to create an account. */
  signup: boolean
  /** The mails that the page shows, to this machine only. */
  mailbox?: Mailbox | undefined
}

/** The same relative path in the sources and in dist. */
const FOLDER = fileURLToPath(new URL('../playground/', import.meta.url))

/**
 * Serves the page at `/`. Only the server registers it: an application that embeds Pawl has a page
 * of its own there. It is not wrapped in fastify-plugin, because its headers let a browser run
 * scripts and must not reach any other route.
 */
export const playground: FastifyPluginAsync<PlaygroundOptions> = async (app, settings) => {
  const headers = constantHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        connectSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: ["'none'"],
      },
    },
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
  await app.register(fastifyStatic, {
    root: FOLDER,
    prefix: '/playground/',
    wildcard: false,
    index: false,
    // `no-cache` and the ETag: a browser always sees the newest version, and does not download an
    // unchanged file again.
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache')
    },
  })
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('index.html'))
  app.get('/playground/settings.json', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    const { grace, signup, mailbox } = settings
    return { grace, signup, mailbox: mailbox !== undefined }
  })
  const { mailbox } = settings
  if (!mailbox) return
  app.get('/playground/mails.json', { schema: { hide: true } }, async (request, reply) => {
    const { headers, hostname, socket } = request
    // The mails hold tokens that let their reader choose a password.
    if (!isLocalRequest(headers, hostname, socket.remoteAddress)) return reply.callNotFound()
    reply.header('cache-control', 'no-store')
    return mailbox.list()
  })
}
