import type { Command } from 'commander'
import { json, yes } from './arguments.ts'
import { parseUser } from './lookup.ts'
import { listSessions } from './session-list.ts'
import { parseSessionPrefix, SHORTEST_PREFIX } from './session-prefix.ts'
import { revokeSession } from './session-revoke.ts'
import type { Terminal } from './terminal.ts'
import { type ChangeOptions, changeUser, END_SESSIONS } from './user-change.ts'

interface RevokeOptions extends ChangeOptions {
  user?: string
}

/** `pawl session …`: who is logged in where. */
export function addSession(program: Command, terminal: Terminal): void {
  const session = program.command('session').description('look at sessions and end them')
  session
    .command('list')
    .description('show the live sessions of a user, the newest first')
    .argument('<user>', 'e-mail address or id', parseUser)
    .addOption(json())
    .action((who: string, options: { json?: true }) => listSessions(terminal, who, options.json))
  session
    .command('revoke')
    .description('end one session, or with --user all sessions of a user')
    .argument(
      '[session]',
      `the id of the session, or its first ${SHORTEST_PREFIX} characters or more`,
      parseSessionPrefix,
    )
    .option('--user <user>', 'e-mail address or id', parseUser)
    .addOption(yes())
    .addOption(json())
    .action((prefix: string | undefined, options: RevokeOptions, command: Command) => {
      const { user } = options
      if (prefix !== undefined && user === undefined)
        return revokeSession(terminal, prefix, options)
      if (prefix === undefined && user !== undefined)
        return changeUser(terminal, user, END_SESSIONS, options)
      return command.error('error: say which: the id of a session, or --user')
    })
}
