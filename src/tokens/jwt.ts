/**
 * What this package asks of a JWT library, configured for one kind of token: it signs claims, and answers a token's
 * claims only where signature, algorithm, `typ`, `iss`, `aud` and the presence of every required claim are in order.
 * Whether the token has expired is judged by the domain, by a clock that all nodes share.
 */
export interface Jwt {
  sign(claims: Record<string, unknown>): string
  /** Throws where anything is wrong. */
  verify(token: string): unknown
}

/** The longest token worth a look, in characters: ours stay far below it. */
const LONGEST_TOKEN = 4_096

/** Reads one kind of token: every way to be invalid is one and the same, undefined. */
export function createReader<T>(jwt: Jwt, fits: (claims: unknown) => claims is T) {
  return {
    /** The claims of a token that we signed for this purpose, also of one that has expired. */
    readExpired(token: string): T | undefined {
      if (token.length > LONGEST_TOKEN) return undefined
      try {
        const claims = jwt.verify(token)
        return fits(claims) ? claims : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** NumericDate (RFC 7519 2) of a time in milliseconds. */
export function numericDate(ms: number): number {
  return Math.floor(ms / 1000)
}
