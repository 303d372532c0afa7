import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For the OpenAPI document: the route takes a bearer token. */
    bearer?: boolean
    /** The same: HTTP Basic credentials of a program. */
    client?: boolean
  }
}

export interface OpenapiOptions {
  version: string
  /** The public URL of this server. */
  issuer: string
}

/** `GET /openapi.json`, made from the schemas that the routes are checked against. Register before the routes. */
export const openapi = fp(
  async (app, { version, issuer }: OpenapiOptions) => {
    await app.register(swagger, {
      transform: ({ schema, url, route }) => {
        // Added here rather than in the routes: an application's own document need not have such a scheme.
        const { bearer, client } = route.config ?? {}
        const scheme = bearer ? 'bearer' : client ? 'client' : undefined
        return { schema: { ...schema, ...(scheme && { security: [{ [scheme]: [] }] }) }, url }
      },
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Pawl', version, description: 'Login, refresh by rotation, logout.' },
        servers: [{ url: issuer }],
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            client: { type: 'http', scheme: 'basic' },
          },
        },
      },
    })
    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  },
  { name: 'pawl-openapi' },
)
