import { parseId } from '../common/id.ts'
import { PawlError } from '../errors.ts'
import type { AdminAction, NewEvent } from '../events/event.ts'
import type { EventLog } from '../events/event-log.ts'
import { insertEvents } from '../events/event-records.ts'
import type { NewUser, UserPatch, UserQuery, UserView } from '../schemas/users.ts'
import type { SessionEndReason } from '../sessions/session-records.ts'
import type { SessionService } from '../sessions/session-service.ts'
import type { SessionView } from '../sessions/session-views.ts'
import type { AccountService } from './account-service.ts'
import type { Changed, UserChange } from './user-change-records.ts'
import type { By, Enforcement } from './user-change-service.ts'
import { readUsers } from './user-page.ts'
import type { UserRecords } from './user-records.ts'

/** An administrator, at the API or at the command line. */
export interface Administrator extends By {
  via: 'api' | 'cli'
}

export interface AdministrationOptions {
  records: UserRecords
  accounts: Pick<AccountService, 'create'>
  enforcement: Enforcement
  sessions: Pick<SessionService, 'list' | 'revokeAll'>
  events: Pick<EventLog, 'announce'>
  /** Milliseconds since the epoch. */
  clock: () => number
}

export type Administration = ReturnType<typeof createAdministration>

/**
 * What administrators do. Whatever takes a user's id rejects with `NOT_FOUND` where there is no such user; what takes rights or
 * sessions away is in force when it resolves, at the latest after the bound, and is on record with who did it.
 */
export function createAdministration(options: AdministrationOptions) {
  const { records, accounts, enforcement, sessions, clock } = options

  async function change(id: string, what: UserChange, by: Administrator, describe: Describe) {
    const { via: _, ...who } = by
    const user = await enforcement.apply(idOf(id), what, who, (user, before) =>
      describe(user, before).map((event) => ({ ...event, userId: user.id, ...who })),
    )
    return user ?? missing()
  }

  return {
    async list(query: UserQuery): Promise<{ users: UserView[]; next?: string }> {
      const { users, next } = await readUsers(records, query)
      return { users: users.map(describeUser), ...(next && { next }) }
    },

    /** Rejects with `AUTH_PASSWORD_REJECTED` or `AUTH_EMAIL_TAKEN`. */
    async create({ email, password, ...extra }: NewUser, by: Administrator): Promise<UserView> {
      const event = (userId: string) => ({ ...action('user_created', by), userId, at: clock() })
      const user = await accounts.create({ email, password }, extra, (tx, id) =>
        insertEvents(tx, event(id)),
      )
      options.events.announce(event(user.id))
      return describeUser(user)
    },

    async find(id: string): Promise<UserView> {
      return describeUser((await records.findById(idOf(id))) ?? missing())
    },

    /**
     * Change roles or status. With `refresh`, which is the default, his sessions go on and their next refresh carries what is new;
     * with `logout`, and for a user who is disabled, they end. Rejects with `ADMIN_REQUIRED` where no active administrator
     * would be left.
     */
    async change(id: string, patch: UserPatch, by: Administrator): Promise<UserView> {
      const { sessions: mode, ...set } = patch
      const reason = endReasonOf(patch)
      return describeUser(
        await change(id, { set, ...(reason && { end: { reason } }) }, by, (user, before) => {
          const { roles, status } = before
          const events: Described[] = []
          if (roles.join() !== user.roles.join())
            events.push({ type: 'roles_changed', detail: { from: roles, to: user.roles } })
          if (status !== user.status)
            events.push(action(user.status === 'active' ? 'user_enabled' : 'user_disabled', by))
          if (reason === 'ended_by_admin') events.push(action('sessions_ended', by))
          return events
        }),
      )
    },

    async remove(id: string, by: Administrator): Promise<void> {
      const { via: _, ...who } = by
      const events = (user: Changed) => [{ ...action('user_deleted', by), userId: user.id }]
      if (!(await enforcement.remove(idOf(id), who, events))) missing()
    },

    /** The live ones, newest first. */
    async sessions(id: string): Promise<SessionView[]> {
      const user = (await records.findById(idOf(id))) ?? missing()
      return sessions.list(user.id)
    },

    async endSessions(id: string, by: Administrator): Promise<void> {
      await change(id, { end: { reason: 'ended_by_admin' } }, by, () => [
        action('sessions_ended', by),
      ])
    },

    /** Every token issued so far is dead, this administrator's too. */
    async revokeEverything(by: Administrator): Promise<void> {
      const event = { ...action('everything_revoked', by), at: clock() }
      await sessions.revokeAll((tx) => insertEvents(tx, event))
      options.events.announce(event)
    },
  }
}

type Described = Pick<Extract<NewEvent, { type: 'roles_changed' }>, 'type' | 'detail'> | AdminEvent
type AdminEvent = Extract<NewEvent, { type: 'admin_action' }>
type Describe = (user: Changed, before: Changed) => Described[]

function action(what: AdminAction, { via, ...who }: Administrator): AdminEvent {
  return { type: 'admin_action', ...who, detail: { action: what, via } }
}

/** Undefined where the sessions go on. */
function endReasonOf({ roles, status, sessions }: UserPatch): SessionEndReason | undefined {
  if (status === 'disabled') return 'user_disabled'
  if (sessions !== 'logout') return undefined
  return roles ? 'roles_changed' : 'ended_by_admin'
}

function describeUser({ id, email, roles, status, createdAt }: Changed): UserView {
  return { id, email, roles, status, createdAt: createdAt.toISOString() }
}

function idOf(text: string): string {
  return parseId(text) ?? missing()
}

function missing(): never {
  throw new PawlError('NOT_FOUND', { detail: 'There is no such user.' })
}
