import type { SessionView, UserStatus, UserView } from '../embedding/views.ts'
import { PawlError } from '../errors.ts'
import type { AdminAction, NewEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import type { SessionEndReason } from '../sessions/session.ts'
import type { SessionService } from '../sessions/session-service.ts'
import type { AccountService } from './account-service.ts'
import type { NewUser } from './new-user.ts'
import type { UserChange } from './user-change-records.ts'
import type { Actor, UserChangeService } from './user-change-service.ts'
import { isUserId } from './user-id.ts'
import { parseCursor, readUserPage, toCursor, toUserView } from './user-page.ts'
import type { Account, UserRecords } from './user-records.ts'

/** An administrator by the API, an operator at the command line, or the application. */
export interface Administrator extends Actor {
  via: 'api' | 'cli' | 'application'
}

export interface UserQuery {
  /** How the e-mail address starts, in any case. */
  email?: string
  limit?: number
  /** The `next` of the previous page. */
  cursor?: string
}

export interface UserPatch {
  roles?: string[]
  status?: UserStatus
  /**
   * What happens to the user's sessions. `refresh`, the default, revokes the access tokens only,
   * and the next refresh carries the new roles. `logout` revokes the sessions. The sessions of a
   * user who is disabled are revoked in either case.
   */
  sessions?: 'refresh' | 'logout'
}

export interface AdministrationOptions {
  records: UserRecords
  accounts: Pick<AccountService, 'create'>
  userChanges: UserChangeService
  sessions: Pick<SessionService, 'list' | 'revokeAll'>
  events: Pick<EventLog, 'announce'>
  /** Returns milliseconds since 1970. */
  clock: () => number
}

export type Administration = ReturnType<typeof createAdministration>

/**
 * Creates the service through which administrators manage users. Methods that take the id of a user
 * reject with `NOT_FOUND` if there is no such user. A method that removes rights or sessions
 * resolves when that is in force everywhere, at the latest after the maximum staleness. It records
 * who did it.
 */
export function createAdministration(options: AdministrationOptions) {
  const { records, accounts, userChanges, sessions, events, clock } = options

  async function apply(
    id: string,
    change: UserChange,
    by: Administrator,
    describe: (user: Account, before: Account) => AccountEvent[],
  ): Promise<Account | undefined> {
    const { via: _, ...actor } = by
    return userChanges.apply(idOf(id), change, actor, (user, before) =>
      describe(user, before).map((event) => ({ ...event, userId: user.id, ...actor })),
    )
  }

  return {
    /** Returns users in the order of their addresses, and the cursor of the next page, if any. */
    async list(query: UserQuery): Promise<{ users: UserView[]; next?: string }> {
      const { cursor, ...rest } = query
      const after = cursor === undefined ? undefined : parseCursor(cursor)
      const { items, next } = await readUserPage(records, { ...rest, after })
      return { users: items, ...(next && { next: toCursor(next) }) }
    },

    /**
     * Rejects with `VALIDATION_FAILED`, `AUTH_PASSWORD_REJECTED`, `AUTH_EMAIL_TAKEN` or
     * `USER_ID_TAKEN`.
     */
    async create(newUser: NewUser, by: Administrator): Promise<UserView> {
      const event = (userId: string) => ({ ...action('user_created', by), userId, at: clock() })
      const user = await accounts.create(newUser, (tx, id) => insertEvents(tx, event(id)))
      events.announce(event(user.id))
      return toUserView(user)
    },

    async find(id: string): Promise<UserView> {
      return toUserView((await records.findById(idOf(id))) ?? notFound())
    },

    /**
     * Changes the roles or the status of a user. With `ifVer`, nothing happens if the user was
     * changed since that version was read, and it rejects with `AUTH_UNAVAILABLE`. Rejects with
     * `ADMIN_REQUIRED` if no active administrator would be left.
     */
    async change(
      id: string,
      patch: UserPatch,
      by: Administrator,
      ifVer?: number,
    ): Promise<UserView> {
      const { sessions: _, ...set } = patch
      const reason = endReasonOf(patch)
      const change = {
        set,
        ...(reason && { revokeSessions: { reason } }),
        ...(ifVer !== undefined && { ifVer }),
      }
      const user = await apply(id, change, by, (after, before) => {
        const described: AccountEvent[] = []
        if (before.roles.join() !== after.roles.join()) {
          const detail = { from: before.roles, to: after.roles }
          described.push({ type: 'roles_changed', detail })
        }
        if (before.status !== after.status)
          described.push(action(after.status === 'active' ? 'user_enabled' : 'user_disabled', by))
        if (reason === 'ended_by_admin') described.push(action('sessions_ended', by))
        return described
      })
      return toUserView(user ?? (ifVer === undefined ? notFound() : changedMeanwhile()))
    },

    /** Deletes a user and their sessions. Rejects with `ADMIN_REQUIRED` like `change`. */
    async remove(id: string, by: Administrator): Promise<void> {
      const { via: _, ...actor } = by
      const describe = (user: Account) => [{ ...action('user_deleted', by), userId: user.id }]
      if (!(await userChanges.remove(idOf(id), actor, describe))) notFound()
    },

    /** Returns the live sessions of a user, the newest first. */
    async listSessions(id: string): Promise<SessionView[]> {
      const user = (await records.findById(idOf(id))) ?? notFound()
      return sessions.list(user.id)
    },

    /** Revokes all sessions of a user. */
    async revokeSessions(id: string, by: Administrator): Promise<void> {
      const change = { revokeSessions: { reason: 'ended_by_admin' } } as const
      if (!(await apply(id, change, by, () => [action('sessions_ended', by)]))) notFound()
    },

    /** Revokes every session of every user, the administrator's own too. */
    async revokeAll(by: Administrator): Promise<void> {
      const event = { ...action('everything_revoked', by), at: clock() }
      await sessions.revokeAll((tx) => insertEvents(tx, event))
      events.announce(event)
    },
  }
}

type AdminEvent = Extract<NewEvent, { type: 'admin_action' }>
type AccountEvent =
  | Pick<Extract<NewEvent, { type: 'roles_changed' }>, 'type' | 'detail'>
  | AdminEvent

function action(what: AdminAction, { via, ...actor }: Administrator): AdminEvent {
  return { type: 'admin_action', ...actor, detail: { action: what, via } }
}

/** Returns why the sessions end, or undefined if they go on. */
function endReasonOf({ roles, status, sessions }: UserPatch): SessionEndReason | undefined {
  if (status === 'disabled') return 'user_disabled'
  if (sessions !== 'logout') return undefined
  return roles ? 'roles_changed' : 'ended_by_admin'
}

function idOf(text: string): string {
  return isUserId(text) ? text : notFound()
}

function notFound(): never {
  throw new PawlError('NOT_FOUND', { detail: 'There is no such user.' })
}

function changedMeanwhile(): never {
  throw new PawlError('AUTH_UNAVAILABLE', {
    detail: 'The user was changed or deleted at the same time, so nothing was done. Try again.',
  })
}
