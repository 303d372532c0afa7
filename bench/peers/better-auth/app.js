import { fromNodeHeaders } from 'better-auth/node'
import Fastify from 'fastify'
import { announce, host, port } from '../common/environment.js'

/**
 * Creates a Fastify server with the API of better-auth, as its guide shows, and with a route of the
 * host application that returns the current user.
 */
export function createApp(auth) {
  const app = Fastify()

  // A token request is a form. It is passed to the library unchanged.
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, body),
  )

  app.route({
    method: ['GET', 'POST'],
    url: '/api/auth/*',
    async handler(request, reply) {
      const { body } = request
      const response = await auth.handler(
        new Request(new URL(request.url, `http://${request.headers.host}`), {
          method: request.method,
          headers: fromNodeHeaders(request.headers),
          ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      )
      reply.status(response.status)
      response.headers.forEach((value, name) => {
        reply.header(name, value)
      })
      return reply.send(response.body ? await response.text() : null)
    },
  })

  app.get('/me', {
    schema: {
      response: {
        200: {
          type: 'object',
          properties: {
            id: { type: 'string' },
            roles: { type: 'array', items: { type: 'string' } },
          },
        },
      },
    },
    handler: async (request, reply) => {
      const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
      if (!session) return reply.code(401).send({ error: 'unauthorized' })
      return { id: session.user.id, roles: [session.user.role] }
    },
  })

  return app
}

/** @param {(count: number) => Promise<object[]>} seed */
export async function start(app, seed) {
  app.post('/bench/seed', async (request) => seed(request.body.count))
  await app.listen({ host, port })
  announce(app.server)
}
