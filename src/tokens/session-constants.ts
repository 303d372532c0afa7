/**
 * What is constant in a session. It travels in the refresh token, under our signature, so it costs
 * the stores nothing and survives the loss of the hot state.
 */
export interface SessionConstants {
  /** When the user was authenticated, in seconds since 1970 (OpenID Connect Core 2, `auth_time`). */
  authTime: number
  /** How the user was authenticated: values of RFC 8176, such as `pwd` or `otp`. */
  amr: readonly string[]
  /** What the application adds to the access tokens of the session. */
  claims?: Readonly<Record<string, unknown>> | undefined
}

/** Bytes of the claims that an application adds, as JSON in UTF-8. */
export const MAX_CLAIMS = 1_024

/** Claims that mean something already, to Pawl or by a standard, so no application may set them. */
const RESERVED = new Set([
  // RFC 7519 4.1, RFC 7800, RFC 9068 2.2, RFC 9396, RFC 8693 4.
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'cnf', 'client_id', 'scope', 'act'],
  ...['may_act', 'authorization_details', 'groups', 'entitlements'],
  // OpenID Connect Core 2 and its logout.
  ...['auth_time', 'acr', 'amr', 'azp', 'nonce', 'at_hash', 'c_hash', 'sid', 'events'],
  // Pawl's own, those of introspection (RFC 7662 2.2), and what is no name in JavaScript.
  ...['ver', 'roles', 'permissions', 'gen', 'ctx', 'active', 'token_type', 'extra', '__proto__'],
])

/** The claims that an application adds, or why they are refused. */
export type ApplicationClaims = { claims: Record<string, unknown> } | { problem: string }

/**
 * Checks claims that an application adds, and returns a copy of them as they are after JSON. They
 * are refused if they are no object, exceed `MAX_CLAIMS`, or have a reserved name. The problem is
 * in words that follow the name of a field, and does not repeat a value.
 */
export function checkClaims(claims: unknown): ApplicationClaims {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    return { problem: 'must be an object' }
  const text = toJson(claims)
  if (text === undefined) return { problem: 'must be what JSON can express' }
  if (Buffer.byteLength(text) > MAX_CLAIMS)
    return { problem: `must have at most ${MAX_CLAIMS} bytes as JSON` }
  const copy: Record<string, unknown> = JSON.parse(text)
  const reserved = Object.keys(copy).find((name) => RESERVED.has(name))
  return reserved
    ? { problem: `must not contain ${reserved}, which is reserved` }
    : { claims: copy }
}

/** Returns undefined for what is no JSON object, such as a cycle, a BigInt, or a date. */
function toJson(claims: object): string | undefined {
  try {
    const text = JSON.stringify(claims)
    return text?.startsWith('{') ? text : undefined
  } catch {
    return undefined
  }
}
