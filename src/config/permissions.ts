import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Role } from '../schemas/credentials.ts'

/** Short and plain: where it is configured so, it travels in every access token. */
const Permission = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9:._/-]{0,63}$' })

const RolePermissions = Type.Record(Role, Type.Array(Permission), { additionalProperties: false })

/** What each role allows. A role that is not named allows nothing. */
export type RolePermissions = Readonly<Static<typeof RolePermissions>>

/** Undefined where the text is not JSON of that form. */
export function parseRolePermissions(text: string): RolePermissions | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(RolePermissions, value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What one of the roles allows, each once, in the order of the alphabet. */
export function permissionsOf(
  rolePermissions: RolePermissions,
  roles: readonly string[],
): string[] {
  const allowed = roles.flatMap((role) =>
    Object.hasOwn(rolePermissions, role) ? (rolePermissions[role] ?? []) : [],
  )
  return [...new Set(allowed)].sort()
}
