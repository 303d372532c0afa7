import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { v4 as uuid } from 'uuid'
import { createTokenReader, type JwtCodec, numericDate } from '../keys/jwt.ts'
import type { Authorization } from '../sessions/session-store.ts'
import type { SessionConstants } from './session-constants.ts'
import type { VerifiedTokens } from './verified-tokens.ts'

/**
 * Claims of the JWT profile for access tokens (RFC 9068 2.2), and the session, the authorization
 * version and the roles.
 */
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
  /** What the roles allowed at the time of issue, for services that verify tokens themselves. */
  permissions: Type.Optional(Type.Array(Type.String())),
  auth_time: Type.Number(),
  amr: Type.Array(Type.String()),
  /**
   * The names of the added claims that are constant in the session. Absent if all of them are, or
   * if there are none.
   */
  ctx: Type.Optional(Type.Array(Type.String())),
})
type SignedClaims = Static<typeof AccessClaims>

/** The claims of a verified token. They are cached, so nothing in them may be changed. */
export interface AccessClaims extends SignedClaims {
  /** What the application has added. */
  extra: Readonly<Record<string, unknown>>
  /** What of it is constant in the session. */
  constant: Readonly<Record<string, unknown>>
}

export const ACCESS_TYP = 'at+jwt'
export const ACCESS_CLAIMS: string[] = AccessClaims.required ?? []

/** RFC 9068 requires a client. There is only one: the application whose users these are. */
const CLIENT_ID = 'pawl'

const check = TypeCompiler.Compile(AccessClaims)
const isAccessClaims = (claims: unknown): claims is SignedClaims => check.Check(claims)

const KNOWN = new Set(Object.keys(AccessClaims.properties))

export interface AccessSubject {
  userId: string
  sessionId: string
  authorization: Authorization
  constants: SessionConstants
  /** What the application adds to this token only. It takes precedence over the constants. */
  added?: Readonly<Record<string, unknown>> | undefined
}

export interface AccessTokenSettings {
  issuer: string
  audience: string
  /** Milliseconds. */
  accessTokenTtl: number
  /** Returns what roles allow. If it is not given, tokens carry no permissions. */
  permissionsOf?: ((roles: readonly string[]) => string[]) | undefined
}

export type AccessTokens = ReturnType<typeof createAccessTokens>

/**
 * Creates what issues and reads access tokens. `verified` caches their claims, so that each token
 * is verified once.
 */
export function createAccessTokens(
  jwt: JwtCodec,
  settings: AccessTokenSettings,
  verified?: VerifiedTokens<AccessClaims>,
) {
  const { issuer, audience, accessTokenTtl, permissionsOf } = settings
  const reader = createTokenReader(jwt, isAccessClaims)

  function cache(token: string, signed: SignedClaims | undefined): AccessClaims | undefined {
    const claims = signed && separate(signed)
    if (claims) verified?.add(token, claims)
    return claims
  }

  return {
    /**
     * Returns the claims of an access token that Pawl issued, even if it has expired. Returns a
     * promise only if a key may have to be loaded, so that the usual case costs no turn of the
     * event loop.
     */
    readExpired(token: string): AccessClaims | undefined | Promise<AccessClaims | undefined> {
      const known = verified?.find(token)
      if (known) return known
      const read = reader.readExpired(token)
      return read instanceof Promise
        ? read.then((claims) => cache(token, claims))
        : cache(token, read)
    },

    /**
     * Issues a token that lives for `accessTokenTtl`, but never longer than its session. `now` and
     * `sessionExpiry` are in milliseconds since 1970, `expiresIn` is in seconds.
     */
    issue(subject: AccessSubject, now: number, sessionExpiry: number) {
      const { userId, sessionId, authorization, constants, added } = subject
      const iat = numericDate(now)
      const exp = numericDate(Math.min(now + accessTokenTtl, sessionExpiry))
      const claims: SignedClaims = {
        ...constants.claims,
        ...added,
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
        auth_time: constants.authTime,
        amr: [...constants.amr],
        ...(added && { ctx: namesOf(constants.claims, added) }),
      }
      return { token: jwt.sign(claims), expiresIn: exp - iat }
    },
  }
}

/** Returns the names of the constant claims that the others do not replace. */
function namesOf(constant: object = {}, added: object): string[] {
  return Object.keys(constant).filter((name) => !Object.hasOwn(added, name))
}

/** Puts what the application has added in objects of its own, and freezes them. */
function separate(signed: SignedClaims): AccessClaims {
  const entries = Object.entries(signed)
  const known = Object.fromEntries(entries.filter(([name]) => KNOWN.has(name))) as SignedClaims
  const added = entries.filter(([name]) => !KNOWN.has(name))
  const extra = added.length === 0 ? NOTHING : freeze(Object.fromEntries(added))
  const { ctx } = signed
  if (!ctx) return { ...known, extra, constant: extra }
  const constant = Object.fromEntries(added.filter(([name]) => ctx.includes(name)))
  return { ...known, extra, constant: freeze(constant) }
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({})

function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner) freeze(inner)
  return Object.freeze(value)
}
