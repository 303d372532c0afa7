import type { NewEvent } from '../events/event.ts'
import type { UserChanges } from '../users/user-change-records.ts'
import type { User } from '../users/user-records.ts'
import { adminAction, record } from './record.ts'
import type { Change, ChangeOptions, Made } from './user-change.ts'

export interface RolesOptions extends ChangeOptions {
  set?: string[]
  add?: string[]
  remove?: string[]
  logout?: true
}

/** More than fit the token that carries them. */
const MOST_ROLES = 32

/** Without `logout` his sessions go on, and the next refresh carries the new roles. */
export function rolesChange({ set, add = [], remove = [], logout }: RolesOptions): Change {
  async function make(changes: UserChanges, user: User): Promise<Made | undefined> {
    const kept = (set ?? user.roles).filter((role) => !remove.includes(role))
    const roles = [...new Set([...kept, ...add])]
    if (roles.length > MOST_ROLES)
      throw new Error(`A user may have ${MOST_ROLES} roles, not ${roles.length}.`)
    const isSame =
      roles.length === user.roles.length && roles.every((role) => user.roles.includes(role))
    if (isSame && !logout) return { user, sessionIds: [] }
    const events: NewEvent[] = []
    const about = { userId: user.id }
    if (!isSame)
      events.push({ type: 'roles_changed', ...about, detail: { from: user.roles, to: roles } })
    if (logout) events.push(adminAction('sessions_ended', about))
    const change = { set: { roles }, ...(logout && { end: { reason: 'roles_changed' as const } }) }
    // What the new roles were made from have to be his still.
    const changed = await changes.apply(user.id, { ...change, ifVer: user.ver }, (tx) =>
      record(tx, ...events),
    )
    if (!changed) throw new Error('Somebody else has changed the user meanwhile: nothing was done.')
    return changed && { ...changed, ...(logout && { reason: 'roles_changed' as const }) }
  }

  return {
    ...(logout && { consequence: 'gets other roles, and has to log in again on every device.' }),
    done: ({ roles }) => (roles.length > 0 ? `has the roles ${roles.join(', ')}.` : 'has no role.'),
    make,
  }
}
