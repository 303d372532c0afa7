import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { v4 as uuid } from 'uuid'
import { createTokenReader, type JwtCodec, numericDate } from '../keys/jwt.ts'
import type { Authorization } from '../sessions/session-store.ts'
import type { VerifiedTokens } from './verified-tokens.ts'

/** JWT profile for access tokens, RFC 9068 2.2, with the session, the authorization version and the roles. */
const AccessClaims = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Type.String(),
  client_id: Type.String(),
  iat: Type.Number(),
  exp: Type.Number(),
  jti: Type.String(),
  sid: Type.String(),
  ver: Type.Number(),
  roles: Type.Array(Type.String()),
  /** What the roles allowed when it was issued, for those who verify it by themselves. */
  permissions: Type.Optional(Type.Array(Type.String())),
})
export type AccessClaims = Static<typeof AccessClaims>

export const ACCESS_TYP = 'at+jwt'
export const ACCESS_CLAIMS: string[] = AccessClaims.required ?? []

/** RFC 9068 requires a client; there is one, the application whose users these are. */
const CLIENT_ID = 'pawl'

const check = TypeCompiler.Compile(AccessClaims)
const isAccessClaims = (claims: unknown): claims is AccessClaims => check.Check(claims)

export interface AccessSubject {
  userId: string
  sessionId: string
  authorization: Authorization
}

export interface AccessTokenSettings {
  issuer: string
  audience: string
  /** Milliseconds. */
  accessTokenTtl: number
  /** What roles allow; without it tokens do not say. */
  permissionsOf?: ((roles: readonly string[]) => string[]) | undefined
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

/** `verified` remembers tokens, so that each is verified once. */
export function createAccessTokens(
  jwt: JwtCodec,
  settings: AccessTokenSettings,
  verified?: VerifiedTokens<AccessClaims>,
) {
  const { issuer, audience, accessTokenTtl, permissionsOf } = settings
  const reader = createTokenReader(jwt, isAccessClaims)

  function remember(token: string, claims: AccessClaims | undefined): AccessClaims | undefined {
    if (claims) verified?.add(token, claims)
    return claims
  }

  return {
    /** The claims of a token that we signed for this purpose, also of one that has expired. */
    readExpired(token: string): AccessClaims | undefined | Promise<AccessClaims | undefined> {
      const known = verified?.find(token)
      if (known) return known
      const read = reader.readExpired(token)
      return read instanceof Promise
        ? read.then((claims) => remember(token, claims))
        : remember(token, read)
    },

    /** A token that lives for `accessTokenTtl`, but never longer than its session. Times in milliseconds. */
    issue({ userId, sessionId, authorization }: AccessSubject, now: number, sessionExpiry: number) {
      const iat = numericDate(now)
      const exp = numericDate(Math.min(now + accessTokenTtl, sessionExpiry))
      const claims: AccessClaims = {
        iss: issuer,
        aud: audience,
        sub: userId,
        client_id: CLIENT_ID,
        iat,
        exp,
        jti: uuid(),
        sid: sessionId,
        ver: authorization.ver,
        roles: [...authorization.roles],
        ...(permissionsOf && { permissions: permissionsOf(authorization.roles) }),
      }
      return { token: jwt.sign(claims), expiresIn: exp - iat }
    },
  }
}
