import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Role } from '../schemas/credentials.ts'

/** Short and plain, because access tokens carry permissions if `TOKEN_PERMISSIONS` is on. */
const Permission = Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9:._/-]{0,63}$' })

const RolePermissions = Type.Record(Role, Type.Array(Permission), { additionalProperties: false })

/** The permissions of each role. A role that is not listed has none. */
export type RolePermissions = Readonly<Record<string, string[]>>

/** Returns undefined if the text is not JSON of that form. */
export function parseRolePermissions(text: string): RolePermissions | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(RolePermissions, value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Returns the permissions of these roles together, each once, in alphabetical order. */
export function permissionsOf(
  rolePermissions: RolePermissions,
  roles: readonly string[],
): string[] {
  const permissions = roles.flatMap((role) =>
    Object.hasOwn(rolePermissions, role) ? (rolePermissions[role] ?? []) : [],
  )
  return [...new Set(permissions)].sort()
}
