import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Healthy } from '../../src/schemas/health.ts'

export const live: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/health/live',
    {
      schema: {
        summary: 'Check that the process runs',
        tags: ['health'],
        response: { 200: Healthy },
      },
    },
    async () => ({ status: 'ok' as const }),
  )
}
