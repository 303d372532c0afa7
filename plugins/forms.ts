import formbody from '@fastify/formbody'
import fp from 'fastify-plugin'

/** Takes forms and nothing else. For scopes whose routes OAuth defines: a page of any other site can send a form. */
export const forms = fp(
  async (app) => {
    app.removeAllContentTypeParsers()
    await app.register(formbody)
  },
  { name: 'pawl-forms' },
)
