import { OPERATOR } from './services.ts'
import type { ChangeOptions, UserAction } from './user-change.ts'

export interface RolesOptions extends ChangeOptions {
  set?: string[]
  add?: string[]
  remove?: string[]
  logout?: true
}

/** More roles make the access tokens that carry them too long. */
const MAX_ROLES = 32

/** Without `logout` the user's sessions go on, and the next refresh carries the new roles. */
export function changeRoles({ set, add = [], remove = [], logout }: RolesOptions): UserAction {
  return {
    ...(logout && {
      consequence: 'will get other roles, and will have to log in again on every device.',
    }),

    describe: ({ roles }) =>
      roles.length > 0 ? `has the roles ${roles.join(', ')}.` : 'has no role.',

    async apply(administration, user) {
      const kept = (set ?? user.roles).filter((role) => !remove.includes(role))
      const roles = [...new Set([...kept, ...add])]
      if (roles.length > MAX_ROLES)
        throw new Error(
          `A user can have at most ${MAX_ROLES} roles, and these are ${roles.length}.`,
        )
      const isSame =
        roles.length === user.roles.length && roles.every((role) => user.roles.includes(role))
      if (isSame && !logout) return user
      const patch = { ...(!isSame && { roles }), ...(logout && { sessions: 'logout' as const }) }
      // Compare-and-set: fails if the roles changed since they were read.
      return administration.change(user.id, patch, OPERATOR, user.ver)
    },
  }
}
