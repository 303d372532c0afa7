/** Tokens of which this many are remembered at least, once they were verified, and twice as many at most: 1.3 kB each. */
const HALF = 16_384

export type VerifiedTokens<T> = ReturnType<typeof createVerifiedTokens<T>>

/**
 * The claims of tokens that were verified, by all of their characters, so that a token is verified once and not with every
 * request. Nothing gets in unverified, which leaves a flood of forged tokens without effect; a flood of valid ones displaces
 * those that were not seen for longest. Whether a token has expired or was revoked is asked each time, elsewhere.
 *
 * `life` is the longest that a token lives, in milliseconds: what was not seen for twice as long is let go of. `clock` too is in
 * milliseconds, and `version` another number whenever what was verified before has to be verified again.
 */
export function createVerifiedTokens<T>(life: number, clock: () => number, version: () => number) {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let bornAt = clock()
  let current = version()

  function forgetOutdated(): void {
    if (current === version()) return
    current = version()
    young = new Map()
    old = new Map()
  }

  function add(token: string, claims: T): void {
    forgetOutdated()
    if (young.size >= HALF || clock() - bornAt > life) {
      old = young
      young = new Map()
      bornAt = clock()
    }
    young.set(token, claims)
  }

  return {
    add,

    find(token: string): T | undefined {
      forgetOutdated()
      const claims = young.get(token)
      if (claims !== undefined) return claims
      const older = old.get(token)
      if (older !== undefined) add(token, older)
      return older
    },

    /** How many are remembered; one that was seen again may count twice. */
    size: (): number => young.size + old.size,
  }
}
