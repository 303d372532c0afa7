import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { constantHeaders } from '../src/http/constant-headers.ts'

export interface PlaygroundOptions {
  /** Milliseconds for which a spent refresh token is answered with its successor: the page counts them down. */
  grace: number
  /** Whether the page may offer to make an account. */
  signup: boolean
}

/** In the sources and in dist alike. */
const FOLDER = fileURLToPath(new URL('../playground/', import.meta.url))

/**
 * The page at `/`. It is the server's own: an application that embeds Pawl has a page of its own there. Not wrapped in
 * fastify-plugin, so that its headers, which let a browser run scripts, are those of no other route.
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
    // With its ETag: a new version is seen at once, an old one not fetched again.
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache')
    },
  })
  app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('index.html'))
  app.get('/playground/settings.json', { schema: { hide: true } }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { grace: settings.grace, signup: settings.signup }
  })
}
