import type { Command } from 'commander'
import { json, parseSessionPrefix, parseUser, SESSION, USER, yes } from './arguments.ts'
import { listSessions } from './session-list.ts'
import { revokeSession } from './session-revoke.ts'
import type { Terminal } from './terminal.ts'
import { type ChangeOptions, changeUser, REVOKE_SESSIONS } from './user-change.ts'

interface RevokeOptions extends ChangeOptions {
  user?: string
}

/** Adds `pawl session …`. */
export function addSession(program: Command, terminal: Terminal): void {
  const session = program.command('session').description('list and end sessions')
  session
    .command('list')
    .description('list the live sessions of a user, the newest first')
    .argument('<user>', USER, parseUser)
    .addOption(json())
    .action((who: string, options: { json?: true }) => listSessions(terminal, who, options.json))
  session
    .command('revoke')
    .description('end one session, or with --user all sessions of a user')
    .argument('[session]', SESSION, parseSessionPrefix)
    .option('--user <user>', USER, parseUser)
    .addOption(yes())
    .addOption(json())
    .action((prefix: string | undefined, options: RevokeOptions, command: Command) => {
      const { user } = options
      if (prefix !== undefined && user === undefined)
        return revokeSession(terminal, prefix, options)
      if (prefix === undefined && user !== undefined)
        return changeUser(terminal, user, REVOKE_SESSIONS, options)
      return command.error('error: name either the id of a session or --user')
    })
}
