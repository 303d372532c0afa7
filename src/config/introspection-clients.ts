import { createHash, timingSafeEqual } from 'node:crypto'

/** Who may ask what a token is worth. */
export interface IntrospectionClient {
  id: string
  secret: string
}

/** Only what form encoding leaves as it is: clients disagree on whether to apply it first (RFC 6749 2.3.1). */
const PAIR = '[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{32,256}'
export const INTROSPECTION_CLIENTS = new RegExp(`^${PAIR}(,${PAIR})*$`)

/** Of text in the form above; none where there is none. */
export function parseClients(text: string): IntrospectionClient[] {
  const pairs = text ? text.split(',') : []
  return pairs.map((pair) => {
    const [id = '', secret = ''] = pair.split(':')
    return { id, secret }
  })
}

/** Whether an `Authorization` header is Basic credentials (RFC 7617) of one of the clients; how long it takes tells nothing. */
export function createClientCheck(clients: readonly IntrospectionClient[]) {
  const known = clients.map(({ id, secret }) => digest(`${id}:${secret}`))
  return (authorization: string | undefined): boolean => {
    const [, encoded = ''] = authorization?.match(/^Basic +([\w+/=-]+)$/i) ?? []
    const given = digest(Buffer.from(encoded, 'base64'))
    // All of them, whichever it is.
    return known.filter((one) => timingSafeEqual(one, given)).length > 0
  }
}

function digest(credentials: string | Buffer): Buffer {
  return createHash('sha256').update(credentials).digest()
}
