import type { SingleFlight } from '../common/single-flight.ts'
import { unavailable } from '../errors.ts'
import { MAX_TOKEN_LENGTH, readKeyId } from './jwt.ts'

export interface UnknownKeyLoaderOptions {
  /** Reads the table of keys. */
  refreshKeys: SingleFlight<void>
  isKnown: (kid: string) => boolean
  isRevoked: (kid: string) => boolean
  /** Returns true while the table cannot be read. */
  isInterrupted: () => boolean
  /** Returns milliseconds that only ever increase. */
  monotonic: () => number
}

/** Milliseconds between two reads for unknown keys: anybody can send tokens that name one. */
const READ_INTERVAL = 1_000
/** The number of requests that may wait for such a read at the same time. */
const MAX_WAITING = 1_000
/** The two forms of a key id. A token that names anything else cannot be one of Pawl's. */
const KEY_ID = /^([\w-]{22}|[\w-]{43})$/

/**
 * Creates a function that reads the table once if a token names a key that this node does not know,
 * because another node may have just created the key. It resolves with true if the key is known
 * afterwards, and rejects with `AUTH_UNAVAILABLE` if the table cannot be read.
 */
export function createUnknownKeyLoader(options: UnknownKeyLoaderOptions) {
  const { refreshKeys, isKnown, isRevoked, isInterrupted, monotonic } = options
  let lastReadAt = Number.NEGATIVE_INFINITY
  let waiting = 0

  return async function loadKeyOf(token: string): Promise<boolean> {
    const kid = namedKey(token)
    if (kid === undefined || isKnown(kid) || isRevoked(kid) || waiting >= MAX_WAITING) return false
    if (isInterrupted()) throw unavailable('the table of keys')
    if (!refreshKeys.inFlight()) {
      if (monotonic() - lastReadAt < READ_INTERVAL) return false
      lastReadAt = monotonic()
    }
    waiting++
    try {
      await refreshKeys()
      return isKnown(kid)
    } catch (error) {
      throw unavailable('the table of keys', error)
    } finally {
      waiting--
    }
  }
}

function namedKey(token: string): string | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  try {
    const kid = readKeyId(token)
    return typeof kid === 'string' && KEY_ID.test(kid) ? kid : undefined
  } catch {
    return undefined
  }
}
