import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'

export interface OpenapiOptions {
  version: string
  /** The public URL of this server. */
  issuer: string
}

/** `GET /openapi.json`, made from the schemas that the routes are checked against. Register before the routes. */
export const openapi = fp(
  async (app, { version, issuer }: OpenapiOptions) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Pawl', version, description: 'Login, refresh by rotation, logout.' },
        servers: [{ url: issuer }],
        components: {
          securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
        },
      },
    })
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  },
  { name: 'pawl-openapi' },
)
