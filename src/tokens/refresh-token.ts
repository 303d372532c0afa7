import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { createTokenReader, type JwtCodec, numericDate } from '../keys/jwt.ts'
import type { CurrentToken } from '../sessions/session-store.ts'

const RefreshClaims = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String(),
  sid: Type.String(),
  /** The generation: the session's counter when this token was made. */
  gen: Type.Integer({ minimum: 1, maximum: 0xfffffffd }),
  iat: Type.Number(),
  exp: Type.Number(),
  jti: Type.String(),
})
export type RefreshClaims = Static<typeof RefreshClaims>

export const REFRESH_TYP = 'rt+jwt'

const check = TypeCompiler.Compile(RefreshClaims)
const isRefreshClaims = (claims: unknown): claims is RefreshClaims => check.Check(claims)

/** The audience of refresh tokens: this service itself, and no API. */
export function refreshAudience(issuer: string): string {
  return `${issuer}#refresh`
}

export interface RefreshTokenSettings {
  issuer: string
  /** Its own, so that no API takes the token for one of its access tokens (RFC 8725 3.12). */
  audience: string
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

export function createRefreshTokens(jwt: JwtCodec, { issuer, audience }: RefreshTokenSettings) {
  return {
    ...createTokenReader(jwt, isRefreshClaims),

    /**
     * A function of its arguments and nothing else: the same line is the same string however often it is delivered, signed
     * with the key of the time of its rotation also when another signs by now.
     */
    issue(userId: string, sessionId: string, currentToken: CurrentToken, now: number) {
      const exp = numericDate(currentToken.expiresAt)
      const claims: RefreshClaims = {
        iss: issuer,
        aud: audience,
        sub: userId,
        sid: sessionId,
        gen: currentToken.generation,
        iat: numericDate(currentToken.rotatedAt),
        exp,
        jti: `${sessionId}.${currentToken.generation}`,
      }
      return {
        token: jwt.sign(claims, currentToken.rotatedAt),
        expiresIn: Math.max(0, exp - numericDate(now)),
      }
    },
  }
}
