/** The user and the session that a request acts for, as `request.auth`. */
export interface Auth {
  userId: string
  sessionId: string
  roles: string[]
  /** When the user was authenticated, in seconds since 1970. */
  authTime: number
  /** How the user was authenticated: values of RFC 8176, such as `pwd` or `otp`. */
  amr: readonly string[]
  /** What the application has added to the token. It is frozen. */
  claims: Readonly<Record<string, unknown>>
  /** What of `claims` is constant in the session. It is frozen. */
  sessionClaims: Readonly<Record<string, unknown>>
  /** The access token's `jti`. */
  tokenId: string
  /** When the access token expires, in milliseconds since 1970. */
  expiresAt: number
}
