import { isRepetitive, NOT_RANDOM } from './random-text.ts'

/** A service that authenticates with HTTP Basic. */
export interface Client {
  id: string
  secret: string
}

/**
 * Without `%` and `+`, form-encoded credentials (RFC 6749 2.3.1) and plain ones cannot be mistaken
 * for each other.
 */
const PAIR = '[A-Za-z0-9._-]{1,64}:[A-Za-z0-9._-]{32,256}'
const PAIRS = new RegExp(`^${PAIR}(,${PAIR})*$`)

/** What the variables that list clients have in common. */
export const CLIENTS = {
  default: '',
  format:
    'comma-separated pairs of id:secret, made of letters, digits, dots, dashes and ' +
    'underscores, each secret at least 32 random characters',
  isValid: (text: string) => text === '' || (PAIRS.test(text) && !hasRepetitiveSecret(text)),
  problemOf: (text: string) => (PAIRS.test(text) ? `has a secret that ${NOT_RANDOM}` : undefined),
  parse: parseClients,
}

function hasRepetitiveSecret(text: string): boolean {
  return parseClients(text).some(({ secret }) => isRepetitive(secret))
}

/** Returns the clients in a valid list, or none if it is empty. */
function parseClients(text: string): Client[] {
  const pairs = text ? text.split(',') : []
  return pairs.map((pair) => {
    const [id = '', secret = ''] = pair.split(':')
    return { id, secret }
  })
}
