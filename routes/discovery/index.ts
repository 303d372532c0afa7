import type { FastifyPluginAsync } from 'fastify'
import { jwks } from './jwks.ts'
import { type MetadataOptions, oauthMetadata } from './oauth-metadata.ts'

export interface DiscoveryOptions extends MetadataOptions {
  /** Whether there are routes under `/oauth`. Without them there is no metadata either. */
  oauth: boolean
}

/** Everything under `/.well-known`: what other software reads to find out about this server. */
export const discoveryRoutes: FastifyPluginAsync<DiscoveryOptions> = async (app, options) => {
  if (options.oauth) await app.register(oauthMetadata, options)
  await app.register(jwks)
}
