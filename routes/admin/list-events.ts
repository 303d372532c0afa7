import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EventPage, EventQuery } from '../../src/schemas/events.ts'
import { problems } from '../../src/schemas/responses.ts'

export const listEvents: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/admin/events',
    {
      schema: {
        summary: 'List security events, newest first',
        description: 'An event may appear a second or two after it happened.',
        tags: ['admin'],
        querystring: EventQuery,
        response: { 200: EventPage, ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => app.events.page(request.query),
  )
}
