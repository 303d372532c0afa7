import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { shareSchemas } from '../src/http/shared-schemas.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * For the OpenAPI document: who may call the route. Without it, anyone may. A guard enforces it
     * apart from this. A `token-holder` shows the token as bearer or in another way.
     */
    caller?: keyof typeof SECURITY
  }
}

/** A security requirement lists roles in its array; an empty requirement means "or without". */
const SECURITY = {
  user: [{ bearer: [] }],
  admin: [{ bearer: ['admin'] }],
  client: [{ client: [] }],
  'token-holder': [{ bearer: [] }, {}],
} satisfies Record<string, { [scheme: string]: string[] }[]>

export interface OpenapiOptions {
  version: string
  /** The public URL of this server. */
  issuer: string
}

/**
 * Adds `GET /openapi.json`, generated from the schemas that requests are validated against. It
 * contains the routes that are registered after this plugin.
 */
export const openapi = fp(
  async (app, { version, issuer }: OpenapiOptions) => {
    await app.register(swagger, {
      transform: ({ schema, url, route }) => {
        // Added here and not by the routes: the OpenAPI document of an embedding application need
        // not define these security schemes.
        const caller = route.config?.caller
        return { schema: { ...schema, ...(caller && { security: SECURITY[caller] }) }, url }
      },
      transformObject: (document) =>
        'openapiObject' in document ? shareSchemas(document.openapiObject) : document.swaggerObject,
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
