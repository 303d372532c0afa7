import type { ApplicationUser, UserView } from '../embedding/views.ts'
import { PawlError } from '../errors.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import type { CommittedRevocation } from '../revocation/revocation-reader.ts'
import type { Administration, Administrator } from './administration.ts'
import { isUserId } from './user-id.ts'
import { toUserView } from './user-page.ts'
import type { Account, UserRecords } from './user-records.ts'

export interface ApplicationUsersOptions {
  records: UserRecords
  administration: Pick<Administration, 'change' | 'remove'>
  events: Pick<EventLog, 'announce'>
  findPending: (userId: string) => Promise<CommittedRevocation | undefined>
  publish: (revocation: CommittedRevocation) => Promise<void>
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/** Events name the application as the one who acted. */
const APPLICATION: Administrator = { via: 'application' }

/** Creates the service through which the application tells Pawl about its own users. */
export function createApplicationUsers(options: ApplicationUsersOptions) {
  const { records, administration, events, findPending, publish, clock } = options

  /** Returns undefined if the id exists by now, or if another user has the address. */
  async function insert({ id, email = null, roles, status }: ApplicationUser) {
    const detail = { action: 'user_created', via: 'application' } as const
    const event = { type: 'admin_action', userId: id, detail, at: clock() } as const
    const user = {
      id,
      email: email?.toLowerCase() ?? null,
      passwordHash: null,
      ...(roles && { roles: [...roles] }),
      ...(status && { status }),
    }
    const inserted = await records.insertKnown(user, (tx) => insertEvents(tx, event))
    if (inserted) events.announce(event)
    return inserted
  }

  /**
   * An earlier change may have been committed without having been published. Its caller got an
   * error and repeats the call, which must not look done before it is.
   */
  async function publishPending(id: string): Promise<void> {
    const pending = await findPending(id)
    if (pending) await publish(pending)
  }

  async function find(id: string): Promise<Account | undefined> {
    return isUserId(id) ? records.findById(id) : undefined
  }

  return {
    /** Returns undefined if there is no such user. */
    async find(id: string): Promise<UserView | undefined> {
      const user = await find(id)
      return user && toUserView(user)
    },

    /**
     * Creates the user, or changes what is given and differs. Other roles or another status revoke
     * the user's access tokens, as a change by an administrator does. Repeating the call does no
     * harm. Rejects with `AUTH_EMAIL_TAKEN` if another user has the address, with `ADMIN_REQUIRED`
     * if no active administrator would be left, and with `AUTH_UNAVAILABLE`.
     */
    async put(user: ApplicationUser): Promise<Account> {
      const { id, email, roles, status } = user
      const known = (await find(id)) ?? (await insert(user)) ?? (await find(id))
      if (!known) throw new PawlError('AUTH_EMAIL_TAKEN')
      const address = email === undefined ? known.email : (email?.toLowerCase() ?? null)
      if (address !== known.email && !(await records.setEmail(id, address)))
        throw new PawlError('AUTH_EMAIL_TAKEN')
      const change = {
        ...(roles && !haveSameRoles(roles, known.roles) && { roles: [...roles] }),
        ...(status && status !== known.status && { status }),
      }
      if (Object.keys(change).length > 0) await administration.change(id, change, APPLICATION)
      else await publishPending(id)
      return (await records.findById(id)) ?? deletedMeanwhile()
    },

    /**
     * Deletes a user and their sessions. Returns false if there is no such user. Rejects like
     * `put`.
     */
    async delete(id: string): Promise<boolean> {
      if (!isUserId(id)) return false
      try {
        await administration.remove(id, APPLICATION)
        return true
      } catch (error) {
        if (!(error instanceof PawlError) || error.code !== 'NOT_FOUND') throw error
        await publishPending(id)
        return false
      }
    },
  }
}

/** The order does not count: a sign-in service may list the same roles in another one each time. */
function haveSameRoles(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join() === [...other].sort().join()
}

function deletedMeanwhile(): never {
  throw new PawlError('AUTH_UNAVAILABLE', { reason: 'the user was deleted at the same time' })
}
