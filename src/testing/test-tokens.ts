import { v7 as uuid } from 'uuid'
import { parseDuration } from '../config/duration.ts'
import { requireValid } from '../http/require-valid.ts'
import { createJwtSigner } from '../keys/jwt-signer.ts'
import { createJwtVerifier } from '../keys/jwt-verifier.ts'
import { importKey } from '../keys/key-material.ts'
import { generateSigningKey } from '../keys/signing-key.ts'
import { createRevocations } from '../revocation/revocations.ts'
import { NewSession } from '../schemas/service.ts'
import {
  ACCESS_CLAIMS,
  ACCESS_TYP,
  type AccessSubject,
  createAccessTokens,
} from '../tokens/access-token.ts'
import { checkClaims } from '../tokens/session-constants.ts'
import { createTokenInspector } from '../tokens/token-inspector.ts'

const STATES = ['valid', 'expired', 'revoked', 'stale'] as const

/** A user of a test, and the token that their request carries. */
export interface TestUser {
  /** By default `test-user`. */
  userId?: string | undefined
  /** By default a new session. */
  sessionId?: string | undefined
  /** By default none. */
  roles?: readonly string[] | undefined
  /** What the application has added to the token, as in `request.auth.claims`. */
  claims?: Readonly<Record<string, unknown>> | undefined
  /** How the user was authenticated. By default `['pwd']`. */
  amr?: readonly string[] | undefined
  /** The time since the user was authenticated, such as `10m`, or in milliseconds. By default 0. */
  age?: string | number | undefined
  /** When the user was authenticated, in seconds since 1970, instead of `age`. */
  authTime?: number | undefined
  /**
   * - `expired` and `revoked`: a 401. With `revoked`, the session has ended.
   * - `stale`: a 503, as from a node that may not know the latest revocations.
   *
   * By default `valid`.
   */
  state?: (typeof STATES)[number] | undefined
}

/** Milliseconds. The default of `ACCESS_TOKEN_TTL`. */
const ACCESS_TOKEN_TTL = 15 * 60_000

const ISSUER = 'https://pawl.test'

const requireUser = requireValid('createTestAuth', NewSession)

/** Creates what issues and checks the tokens of tests, with a key that is made for it. */
export function createTestTokens(clock: () => number) {
  const accessTokens = createTestKey()
  const revocations = createRevocations(() => ACCESS_TOKEN_TTL, clock)
  const staleTokens = new Set<string>()
  /** The roles for `authorize({ fresh: true })`, which asks the stores. */
  const rolesOf = new Map<string, readonly string[]>()

  const createInspector = (age: number) =>
    createTokenInspector({
      accessTokens,
      refreshTokens: { readExpired: () => undefined },
      store: { find: async () => undefined },
      records: {
        async find(sessionId) {
          const roles = rolesOf.get(sessionId)
          return roles && { ver: 1, roles: [...roles], generation: 1 }
        },
      },
      revocations,
      feed: { age: () => age },
      revocationMaxStaleness: 0,
      clock,
    })
  const inspector = createInspector(0)
  const staleInspector = createInspector(Number.POSITIVE_INFINITY)

  function endSession(sessionId: string): void {
    rolesOf.delete(sessionId)
    revocations.add({ kind: 'session', sessionId })
  }

  return {
    endSession,

    issue(user: TestUser = {}): string {
      const now = clock()
      const subject = toSubject(user, now)
      const issuedAt = user.state === 'expired' ? now - ACCESS_TOKEN_TTL : now
      const { token } = accessTokens.issue(subject, issuedAt, Number.POSITIVE_INFINITY)
      rolesOf.set(subject.sessionId, subject.authorization.roles)
      if (user.state === 'revoked') endSession(subject.sessionId)
      if (user.state === 'stale') staleTokens.add(token)
      return token
    },

    authenticate: (token: string, fresh: boolean) =>
      (staleTokens.has(token) ? staleInspector : inspector).authenticate(token, fresh),
  }
}

/** A name that was misspelt in JavaScript would make a test pass that shows nothing. */
const FIELDS = {
  userId: true,
  sessionId: true,
  roles: true,
  claims: true,
  amr: true,
  age: true,
  authTime: true,
  state: true,
} satisfies Record<keyof TestUser, true>

/** Throws a `TypeError` if a value is one that Pawl would refuse. */
function toSubject(user: TestUser, now: number): AccessSubject {
  const { userId = 'test-user', roles = [], claims = {}, amr = ['pwd'] } = user
  const { sessionId = uuid({ msecs: now }), state = 'valid' } = user
  const unknown = Object.keys(user).find((name) => !Object.hasOwn(FIELDS, name))
  if (unknown) throw new TypeError(`createTestAuth: a user has no ${unknown}`)
  if (!STATES.includes(state))
    throw new TypeError(`createTestAuth: state must be one of ${STATES.join(', ')}`)
  const authTime = user.authTime ?? Math.floor((now - ageOf(user)) / 1000)
  requireUser({ user: { id: userId, roles }, amr, authTime, claims })
  const checked = checkClaims(claims)
  if ('problem' in checked) throw new TypeError(`createTestAuth: claims ${checked.problem}`)
  return {
    userId,
    sessionId,
    authorization: { ver: 1, roles },
    constants: { authTime, amr, claims: checked.claims },
  }
}

function ageOf({ age = 0 }: TestUser): number {
  const ms = typeof age === 'number' ? age : parseDuration(age)
  if (ms !== undefined && ms >= 0) return ms
  throw new TypeError('createTestAuth: age must be a duration such as 10m, or milliseconds')
}

function createTestKey() {
  const material = importKey('access', 'EdDSA', generateSigningKey('EdDSA'))
  const expected = {
    typ: ACCESS_TYP,
    issuer: ISSUER,
    audience: ISSUER,
    requiredClaims: ACCESS_CLAIMS,
  }
  const jwt = {
    sign: createJwtSigner(material, ACCESS_TYP),
    verify: createJwtVerifier(material, expected),
  }
  const settings = { issuer: ISSUER, audience: ISSUER, accessTokenTtl: ACCESS_TOKEN_TTL }
  return createAccessTokens(jwt, settings)
}
