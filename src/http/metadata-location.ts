const WELL_KNOWN = '/.well-known/oauth-authorization-server'

/**
 * Returns the route at which clients look for the metadata of an issuer: its path comes after the
 * well-known one, without a slash at its end (RFC 8414 3.1).
 */
export function metadataPath(issuer: string): string {
  const path = decodeURI(new URL(issuer).pathname).replace(/\/$/, '')
  // A colon would begin a parameter of the route.
  return WELL_KNOWN + path.replaceAll(':', '::')
}

/**
 * Returns the URL that the paths of all routes are added to. An issuer often ends with the prefix
 * under which the application has mounted Pawl. Otherwise a proxy may add the path of the issuer.
 */
export function baseOf(issuer: string, prefix: string): string {
  const base = issuer.replace(/\/$/, '')
  return new URL(base).pathname.endsWith(prefix) ? base : base + prefix
}
