import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

export const metrics: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8')
    return app.metrics.text()
  })
}
