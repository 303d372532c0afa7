import type { FastifyPluginAsync } from 'fastify'
import type { Auth } from './auth.ts'

/** Mounts the routes of better-auth. */
export const authRoutes: FastifyPluginAsync<{ auth: Auth; baseURL: string }> = async (
  app,
  { auth, baseURL },
) => {
  // better-auth reads the body itself, so it gets the bytes. This holds in this scope alone.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.route({
    method: ['GET', 'POST'],
    url: '/api/auth/*',
    async handler(request, reply) {
      const headers = headersOf(request.headers)
      // It limits each address, and believes this header. A client can send any.
      headers.set('x-forwarded-for', request.ip)
      const { method, body } = request
      const response = await auth.handler(
        new Request(new URL(request.url, baseURL), {
          method,
          headers,
          ...(body ? { body: body as Buffer<ArrayBuffer> } : {}),
        }),
      )
      reply.status(response.status)
      for (const [name, value] of response.headers) reply.header(name, value)
      return reply.send(response.body ? Buffer.from(await response.arrayBuffer()) : null)
    },
  })
}

/** Returns the headers of a request of Fastify as the web's `Headers`. */
export function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(raw))
    for (const value of [values ?? []].flat()) headers.append(name, value)
  return headers
}
