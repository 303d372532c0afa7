import type { FastifyPluginAsync } from 'fastify'
import { jwks } from './jwks.ts'
import { type MetadataOptions, oauthMetadata } from './oauth-metadata.ts'

/** Everything under `/.well-known`: what other software reads to find out about this server. */
export const discoveryRoutes: FastifyPluginAsync<MetadataOptions> = async (app, options) => {
  await app.register(oauthMetadata, options)
  await app.register(jwks)
}
