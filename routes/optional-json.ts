import type { FastifyInstance } from 'fastify'

/** Many clients say that they send JSON, whether they send anything or not. On the routes of this scope nothing is fine. */
export function takeNothingForJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, null) : parseJson(request, body.toString(), done),
  )
}
