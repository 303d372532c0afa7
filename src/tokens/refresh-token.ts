import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { createTokenReader, type JwtCodec, numericDate } from '../keys/jwt.ts'
import type { CurrentToken } from '../sessions/session-store.ts'
import type { SessionConstants } from './session-constants.ts'

const RefreshClaims = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String(),
  sid: Type.String(),
  /** The generation: the value of the session's counter when this token was issued. */
  gen: Type.Integer({ minimum: 1, maximum: 0xfffffffd }),
  iat: Type.Number(),
  exp: Type.Number(),
  jti: Type.String(),
  auth_time: Type.Number(),
  amr: Type.Array(Type.String()),
  /** What the application adds to the access tokens of the session. */
  ctx: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
export type RefreshClaims = Static<typeof RefreshClaims>

/** Returns the constants of the session that a token belongs to. */
export function constantsOf({ auth_time: authTime, amr, ctx }: RefreshClaims): SessionConstants {
  return { authTime, amr, ...(ctx && { claims: ctx }) }
}

export interface RefreshSubject {
  userId: string
  sessionId: string
  constants: SessionConstants
  currentToken: CurrentToken
}

export const REFRESH_TYP = 'rt+jwt'

const check = TypeCompiler.Compile(RefreshClaims)
const isRefreshClaims = (claims: unknown): claims is RefreshClaims => check.Check(claims)

/** Returns the audience of refresh tokens: this service itself, and no API. */
export function refreshAudience(issuer: string): string {
  return `${issuer}#refresh`
}

export interface RefreshTokenSettings {
  issuer: string
  /** Not the audience of access tokens, so that no API accepts a refresh token (RFC 8725 3.12). */
  audience: string
}

export type RefreshTokens = ReturnType<typeof createRefreshTokens>

/** Creates what issues and reads refresh tokens. */
export function createRefreshTokens(jwt: JwtCodec, { issuer, audience }: RefreshTokenSettings) {
  return {
    ...createTokenReader(jwt, isRefreshClaims),

    /**
     * Issues the refresh token of a generation. It depends on nothing but `currentToken` and the
     * constants of the session: the same generation gives the same string each time. So it is
     * signed with the key that was current at the time of the rotation, even if a newer key is
     * current by now.
     *
     * `now` is in milliseconds since 1970, `expiresIn` is in seconds.
     */
    issue({ userId, sessionId, constants, currentToken }: RefreshSubject, now: number) {
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
        auth_time: constants.authTime,
        amr: [...constants.amr],
        ...(constants.claims && { ctx: constants.claims }),
      }
      return {
        token: jwt.sign(claims, currentToken.rotatedAt),
        expiresIn: Math.max(0, exp - numericDate(now)),
      }
    },
  }
}
