/**
 * Signs and verifies one kind of token. Verification covers signature, algorithm, `typ`, `iss` and
 * `aud`. The reader below checks the claims. The domain checks expiry, by a clock that all nodes
 * share.
 */
export interface JwtCodec {
  /** Signs with the key that was current at the time `at` (milliseconds), by default now. */
  sign(claims: Record<string, unknown>, at?: number): string
  /** Returns the claims. Throws if anything is wrong with the token. */
  verify(token: string): unknown
  /**
   * Looks for the key of a token that could not be verified. Resolves with true if the key is known
   * now and another attempt makes sense. Rejects with `AUTH_UNAVAILABLE` if that cannot be found
   * out. Absent if the keys never change.
   */
  loadKeyOf?(token: string): Promise<boolean>
  /**
   * Returns undefined, unless this node may have missed a change of the keys. Then it returns a
   * promise that resolves after an attempt to read them, successful or not.
   */
  refreshIfStale?(): Promise<void> | undefined
}

/** Characters. Longer tokens are refused unread; those that Pawl issues are shorter. */
export const MAX_TOKEN_LENGTH = 8_192

/**
 * Creates a reader of one kind of token. It returns undefined for an invalid token, whatever is
 * wrong with it. It returns without a promise if the token is valid, so that the usual case costs
 * no turn of the event loop.
 */
export function createTokenReader<T>(jwt: JwtCodec, hasShape: (claims: unknown) => claims is T) {
  function verify(token: string): T | undefined {
    try {
      const claims = jwt.verify(token)
      return hasShape(claims) ? claims : undefined
    } catch {
      return undefined
    }
  }

  function verifyOrLoadKey(token: string): T | undefined | Promise<T | undefined> {
    const claims = verify(token)
    if (claims || !jwt.loadKeyOf) return claims
    return jwt.loadKeyOf(token).then((isLoaded) => (isLoaded ? verify(token) : undefined))
  }

  return {
    /** Returns the claims of a token that Pawl issued for this purpose, even if it has expired. */
    readExpired(token: string): T | undefined | Promise<T | undefined> {
      if (token.length > MAX_TOKEN_LENGTH) return undefined
      const refreshing = jwt.refreshIfStale?.()
      return refreshing ? refreshing.then(() => verifyOrLoadKey(token)) : verifyOrLoadKey(token)
    },
  }
}

/**
 * Returns the `kid` in the header of an unverified token, or undefined if there is none. It may
 * have any type. Throws if the token has no readable header.
 */
export function readKeyId(token: string): unknown {
  const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
  return header.kid
}

/** Returns the NumericDate (RFC 7519 2) of a time in milliseconds. */
export function numericDate(ms: number): number {
  return Math.floor(ms / 1000)
}
