import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { METRICS_TYPE } from '../../src/http/metrics-port.ts'

export const metrics: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(METRICS_TYPE)
    return app.metrics.text()
  })
}
