/**
 * What signs and verifies one kind of token: it answers a token's claims only where signature, algorithm, `typ`, `iss` and `aud`
 * are in order. Whether every claim is there is looked at here; whether the token has expired is judged by the domain, by a
 * clock that all nodes share.
 */
export interface Jwt {
  /** With the key whose time `at` is (milliseconds), or that of now. */
  sign(claims: Record<string, unknown>, at?: number): string
  /** Throws where anything is wrong. */
  verify(token: string): unknown
  /**
   * For a token that could not be verified: whether it is worth another try, since its key is known now. Rejects with
   * `AUTH_UNAVAILABLE` where that cannot be known. Absent where keys do not change.
   */
  learn?(token: string): Promise<boolean>
  /** Undefined unless this node may have missed a change of keys; then it resolves once it has looked, or cannot. */
  prepare?(): Promise<void> | undefined
}

/** The longest token worth a look, in characters: ours stay far below it. */
const LONGEST_TOKEN = 4_096

/**
 * Reads one kind of token: every way to be invalid is one and the same, undefined. The answer is there at once, without a
 * promise, for every token that is valid, and for any that names a key that this node knows.
 */
export function createReader<T>(jwt: Jwt, fits: (claims: unknown) => claims is T) {
  function verify(token: string): T | undefined {
    try {
      const claims = jwt.verify(token)
      return fits(claims) ? claims : undefined
    } catch {
      return undefined
    }
  }

  function verifyOrLearn(token: string): T | undefined | Promise<T | undefined> {
    const claims = verify(token)
    if (claims || !jwt.learn) return claims
    return jwt.learn(token).then((learned) => (learned ? verify(token) : undefined))
  }

  return {
    /** The claims of a token that we signed for this purpose, also of one that has expired. */
    readExpired(token: string): T | undefined | Promise<T | undefined> {
      if (token.length > LONGEST_TOKEN) return undefined
      const preparing = jwt.prepare?.()
      return preparing ? preparing.then(() => verifyOrLearn(token)) : verifyOrLearn(token)
    },
  }
}

/** NumericDate (RFC 7519 2) of a time in milliseconds. */
export function numericDate(ms: number): number {
  return Math.floor(ms / 1000)
}
