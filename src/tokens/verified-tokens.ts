/** Bytes in each of the two generations: about 17,000 tokens of the usual length. */
const GENERATION_BYTES = 24 * 2 ** 20
/** Bytes of an entry besides its token and the texts of its claims, which are about as long. */
const ENTRY_OVERHEAD = 512

export interface VerifiedTokensOptions<T> {
  /** The longest life of a token, in milliseconds. A token unused for twice as long is evicted. */
  life: number
  /** Milliseconds. */
  clock: () => number
  /** Returns a number that changes when every token has to be verified again. */
  version: () => number
  /** Returns false for a token that has expired or was revoked: it is not worth remembering. */
  isLive: (claims: T) => boolean
}

export type VerifiedTokens<T> = ReturnType<typeof createVerifiedTokens<T>>

/**
 * Creates a cache of the claims of verified tokens, so that each token is verified once and not
 * with every request. The key is the whole token. Whether a token has expired or was revoked is not
 * cached: the caller checks that each time.
 *
 * Only verified, live tokens are added, so a flood of forged or dead tokens has no effect. A flood
 * of valid tokens evicts those that were not used for the longest time. The cache is bounded by
 * bytes, because roles and permissions make tokens longer.
 */
export function createVerifiedTokens<T>(options: VerifiedTokensOptions<T>) {
  const { life, clock, version, isLive } = options
  // Two generations. When the young one is full or old enough, it replaces the old one. A token
  // that is used moves back to the young one.
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let youngBytes = 0
  let youngSince = clock()
  let current = version()

  function clearIfOutdated(): void {
    if (current === version()) return
    current = version()
    young = new Map()
    old = new Map()
    youngBytes = 0
  }

  function add(token: string, claims: T): void {
    clearIfOutdated()
    if (!isLive(claims)) return
    const bytes = ENTRY_OVERHEAD + 2 * token.length
    if (youngBytes + bytes > GENERATION_BYTES || clock() - youngSince > life) {
      old = young
      young = new Map()
      youngBytes = 0
      youngSince = clock()
    }
    young.set(copyOf(token), claims)
    youngBytes += bytes
  }

  return {
    /** Remembers the claims of a token that was just verified, if it is live. */
    add,

    /** Returns the claims of a token that is remembered. */
    find(token: string): T | undefined {
      clearIfOutdated()
      const claims = young.get(token)
      if (claims !== undefined) return claims
      const older = old.get(token)
      if (older !== undefined) add(token, older)
      return older
    },

    /** Returns the number of entries. A token that was used again may count twice. */
    size: (): number => young.size + old.size,
  }
}

/**
 * Copies a token. It may be a part of a longer text, such as a header line or a body. The engine
 * keeps all of that text in memory for as long as the part is referenced.
 */
function copyOf(token: string): string {
  return Buffer.from(token, 'latin1').toString('latin1')
}
