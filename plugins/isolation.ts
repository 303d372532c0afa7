import fastJsonStringify from 'fast-json-stringify'
import type { FastifyReply, RouteHandlerMethod } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Keeps what an application has set for its own routes away from those of Pawl. Fastify hands the
 * compilers, the serializers and the hooks of a scope down to the scopes in it.
 *
 * A body is serialized before the hooks of `preSerialization` see it, since they only see objects:
 * they would put a token pair into the envelope of the application. Hooks of `onSend` still run,
 * because they compress and log.
 */
export const isolation = fp(
  async (app) => {
    app.setSerializerCompiler(({ schema }) => fastJsonStringify(schema as object))
    app.setSchemaErrorFormatter((errors) => new Error(errors[0]?.message ?? 'is not valid'))
    app.addHook('onRoute', (route) => {
      route.handler = serializing(route.handler)
    })
  },
  { name: 'pawl-isolation' },
)

function serializing(handler: RouteHandlerMethod): RouteHandlerMethod {
  return async function (request, reply) {
    const payload = await handler.call(this, request, reply)
    if (payload === undefined || payload === null || typeof payload !== 'object') return payload
    if (reply.sent || Buffer.isBuffer(payload)) return payload
    if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
    return serialize(reply, payload)
  }
}

/** Uses the schema of the response, which leaves out what is not meant for the client. */
function serialize(reply: FastifyReply, payload: object): string {
  const bySchema = reply.getSerializationFunction(String(reply.statusCode))
  return bySchema ? bySchema(payload as Record<string, unknown>) : JSON.stringify(payload)
}
