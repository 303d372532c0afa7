import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether an empty body that is labelled as JSON counts as no body. If not, it is a 400. */
    allowEmptyJson?: boolean
  }
}

/** Bytes. The largest body that a route accepts has a tenth of this. */
export const BODY_LIMIT = 65_536

/**
 * Makes JSON the only media type that is understood, with a parser and a limit of Pawl's own, which
 * the `bodyLimit` of an application does not change.
 */
export const jsonBody = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      route.bodyLimit ??= BODY_LIMIT
    })
    // Fastify's parser for plain text would turn a wrong media type into 400 instead of 415.
    // An application may have parsers for patterns and for everything, too.
    app.removeAllContentTypeParsers()
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      // Many clients label every request as JSON, even if they send no body.
      if (body === '' && request.routeOptions.config.allowEmptyJson) done(null, null)
      else parseJson(request, body.toString(), done)
    })
  },
  { name: 'pawl-json-body' },
)
