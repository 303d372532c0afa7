import { parseDuration } from '../config/duration.ts'
import { permissionsOf, type RolePermissions } from '../config/permissions.ts'
import { PawlError } from '../errors.ts'
import type { Auth } from '../tokens/auth.ts'

/** What a route demands of its caller, besides a valid access token. */
export interface AuthorizeOptions {
  /** The user needs one of these. Without this option, any user will do. */
  roles?: readonly string[]
  /** The user needs all of these. The configuration says which roles allow them. */
  permissions?: readonly string[]
  /**
   * Ask the stores as well, and take the roles from Postgres. For routes that must not wait until
   * this node has received a revocation, which takes milliseconds, and at most
   * REVOCATION_MAX_STALENESS.
   */
  fresh?: boolean
  /**
   * The time since the user was authenticated, such as `5m`, or in milliseconds. After it the
   * response is a 401 with the challenge of RFC 9470.
   */
  maxAge?: string | number
  /**
   * The user needs one of these methods of authentication (RFC 8176), such as `otp`. Otherwise the
   * response is the same 401.
   */
  amr?: readonly string[]
}

export interface Demand {
  roles: readonly string[]
  permissions: readonly string[]
  fresh: boolean
  /** Seconds. */
  maxAge: number | undefined
  amr: readonly string[]
}

/** Reads the options of `authorize`. Throws a `TypeError` if one is not valid. */
export function readDemand(options: AuthorizeOptions): Demand {
  const { roles = [], permissions = [], fresh = false, maxAge, amr = [] } = Object(options)
  for (const [name, list] of Object.entries({ roles, permissions, amr }))
    if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string'))
      throw new TypeError(`authorize: ${name} must be a list of names`)
  return {
    roles,
    permissions,
    fresh,
    amr,
    maxAge: maxAge === undefined ? maxAge : secondsOf(maxAge),
  }
}

function secondsOf(maxAge: string | number): number {
  const ms = typeof maxAge === 'number' ? maxAge : parseDuration(maxAge)
  // A token states the time in whole seconds.
  if (ms !== undefined && ms >= 1000) return Math.floor(ms / 1000)
  throw new TypeError('authorize: maxAge must be a duration such as 5m, or milliseconds')
}

/**
 * Returns why a caller does not meet a demand, or undefined. A user who lacks a right is told that
 * first, because it would not help them to log in again. `now` is in milliseconds since 1970.
 */
export function refusalOf(
  { roles, permissions, maxAge, amr }: Demand,
  auth: Auth,
  rolePermissions: RolePermissions,
  now: number,
): PawlError | undefined {
  if (roles.length > 0 && !auth.roles.some((role) => roles.includes(role))) return forbidden('role')
  if (permissions.length > 0) {
    // Decided by the configuration of this node, even if the token carries permissions.
    const allowed = permissionsOf(rolePermissions, auth.roles)
    if (!permissions.every((permission) => allowed.includes(permission)))
      return forbidden('permission')
  }
  if (maxAge !== undefined && now / 1000 - auth.authTime > maxAge)
    return new PawlError('AUTH_REAUTHENTICATION_REQUIRED', { maxAge })
  if (amr.length > 0 && !auth.amr.some((method) => amr.includes(method)))
    return new PawlError('AUTH_REAUTHENTICATION_REQUIRED')
  return undefined
}

function forbidden(missing: 'role' | 'permission'): PawlError {
  return new PawlError('AUTH_FORBIDDEN', { reason: `the user lacks a ${missing}` })
}
