import Fastify from 'fastify'
import { openapi } from '../../plugins/openapi.ts'
import { routes } from '../../routes/index.ts'
import { readRouteChoice } from '../../src/http/route-groups.ts'

/** The parts of an OpenAPI document that `docs/api.md` shows. */
export interface OpenapiDocument {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export interface Operation {
  summary: string
  description?: string
  tags: [string]
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

export interface Parameter {
  in: 'header' | 'path' | 'query'
  name: string
  description?: string
  schema: Schema
}

export interface Schema {
  $ref?: string
  type?: string
  format?: string
  description?: string
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  required?: string[]
  properties?: Record<string, Schema>
}

/**
 * Returns the OpenAPI document that the server responds with. No store is needed: the routes are
 * registered with stand-ins for the decorators that they use while they are registered.
 */
export async function readOpenapi(): Promise<OpenapiDocument> {
  const app = Fastify()
  const hook = async () => {}
  app.decorate('authenticate', hook)
  app.decorate('authorize', () => hook)
  app.decorate('authenticateClient', { introspection: hook, session: hook })
  app.decorate('forbidCaching', (_request, _reply, done) => done())
  app.decorate('limitGuesses', { preHandler: hook, onResponse: hook })
  const issuer = 'https://auth.example.com'
  await app.register(openapi, { version: '0.0.0', issuer })
  await app.register(routes, {
    issuer,
    mounted: readRouteChoice(),
    introspection: true,
    service: true,
  })
  await app.ready()
  const document = app.swagger() as unknown as OpenapiDocument
  await app.close()
  return document
}
