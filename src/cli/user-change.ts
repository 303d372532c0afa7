import type { Administration } from '../users/administration.ts'
import type { User } from '../users/user-records.ts'
import { findUser } from './lookup.ts'
import { confirm } from './prompts.ts'
import { report } from './report.ts'
import { OPERATOR, withServices } from './services.ts'
import type { Terminal } from './terminal.ts'

export interface ChangeOptions {
  yes?: true
  json?: true
}

type Changed = Pick<User, 'roles' | 'status'> & { email?: string | null }

/** Something that a command does to one user. Its texts continue a sentence: "<address> …". */
export interface UserAction {
  /** Says what the user loses. An action without a consequence needs no confirmation. */
  consequence?: string
  describe(user: Changed): string
  /** Does it, and returns the user as they are afterwards. */
  apply(administration: Administration, user: User): Promise<Changed>
}

export const DISABLE: UserAction = {
  consequence: 'will not be able to log in any more, and all their sessions end.',
  describe: () => 'is disabled, and their sessions have ended.',
  apply: (administration, { id }) => administration.change(id, { status: 'disabled' }, OPERATOR),
}

export const ENABLE: UserAction = {
  describe: () => 'is enabled and can log in.',
  // A user who is enabled already keeps their access tokens.
  apply: async (administration, user) =>
    user.status === 'active'
      ? user
      : administration.change(user.id, { status: 'active' }, OPERATOR),
}

export const DELETE: UserAction = {
  consequence: 'will be deleted with all their sessions. This cannot be undone.',
  describe: () => 'is deleted, and their sessions have ended.',
  async apply(administration, user) {
    await administration.remove(user.id, OPERATOR)
    return user
  },
}

export const REVOKE_SESSIONS: UserAction = {
  consequence: 'will have to log in again on every device.',
  describe: () => 'is logged out on every device.',
  async apply(administration, user) {
    await administration.revokeSessions(user.id, OPERATOR)
    return user
  },
}

/** Asks for confirmation, changes the user, and waits until the servers have published it. */
export async function changeUser(
  terminal: Terminal,
  name: string,
  action: UserAction,
  options: ChangeOptions,
): Promise<void> {
  await withServices(terminal, async (services) => {
    const user = await findUser(services.users, name)
    const { id } = user
    if (action.consequence && !options.yes)
      await confirm(terminal, `${user.email ?? id} ${action.consequence}`)
    // Even an action that changes nothing waits: an earlier change may be unpublished.
    services.publications.expect({ kind: 'user', userId: id })
    const changed = await action.apply(services.administration, user)
    const { email, roles, status } = changed
    const done = `${email ?? id} ${action.describe(changed)}`
    await report(terminal, services, { done, facts: { id, email, roles, status } }, options.json)
  })
}
