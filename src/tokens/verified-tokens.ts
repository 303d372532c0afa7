/**
 * Number of verified tokens that are remembered at least. Twice as many are remembered at most, at
 * 1.3 kB each.
 */
const HALF = 16_384

export type VerifiedTokens<T> = ReturnType<typeof createVerifiedTokens<T>>

/**
 * Creates a cache of the claims of verified tokens, so that each token is verified once and not
 * with every request. The key is the whole token. Whether a token has expired or was revoked is not
 * cached: the caller checks that each time.
 *
 * Only verified tokens are added, so a flood of forged tokens has no effect. A flood of valid
 * tokens evicts those that were not used for the longest time.
 *
 * `life` is the longest life of a token in milliseconds. A token that was not used for twice as
 * long is evicted. `clock` returns milliseconds, too. `version` returns a number that changes when
 * every token has to be verified again.
 */
export function createVerifiedTokens<T>(life: number, clock: () => number, version: () => number) {
  // Two generations. When the young one is full or old enough, it replaces the old one. A token
  // that is used moves back to the young one.
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let youngSince = clock()
  let current = version()

  function clearIfOutdated(): void {
    if (current === version()) return
    current = version()
    young = new Map()
    old = new Map()
  }

  function add(token: string, claims: T): void {
    clearIfOutdated()
    if (young.size >= HALF || clock() - youngSince > life) {
      old = young
      young = new Map()
      youngSince = clock()
    }
    young.set(token, claims)
  }

  return {
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
