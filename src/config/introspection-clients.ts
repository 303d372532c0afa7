/** A service that may introspect tokens. */
export interface IntrospectionClient {
  id: string
  secret: string
}

/**
 * Only characters that form encoding leaves unchanged. RFC 6749 2.3.1 demands form encoding before
 * Basic, and not all clients apply it.
 */
const PAIR = '[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{32,256}'
export const INTROSPECTION_CLIENTS = new RegExp(`^${PAIR}(,${PAIR})*$`)

/** Returns the clients in text that matches `INTROSPECTION_CLIENTS`, or none if it is empty. */
export function parseClients(text: string): IntrospectionClient[] {
  const pairs = text ? text.split(',') : []
  return pairs.map((pair) => {
    const [id = '', secret = ''] = pair.split(':')
    return { id, secret }
  })
}
