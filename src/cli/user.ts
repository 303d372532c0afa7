import type { Command } from 'commander'
import {
  collectRole,
  json,
  limit,
  parseEmail,
  parsePage,
  parseRoles,
  parseUser,
  USER,
  yes,
} from './arguments.ts'
import type { Terminal } from './terminal.ts'
import {
  type ChangeOptions,
  changeUser,
  DELETE,
  DISABLE,
  ENABLE,
  type UserAction,
} from './user-change.ts'
import { type CreateOptions, createUser } from './user-create.ts'
import { type ExportOptions, exportUsers } from './user-export.ts'
import { type ListOptions, listUsers } from './user-list.ts'
import { type ResetOptions, resetPassword } from './user-reset.ts'
import { changeRoles, type RolesOptions } from './user-roles.ts'

const HELP = `
A user is named by e-mail address or by id. A change is committed in Postgres,
and the running servers publish it within seconds. The command waits for that.
It needs the database, but no Redis and no secret.`

/** Adds `pawl user …`. */
export function addUser(program: Command, terminal: Terminal): void {
  const user = program.command('user').description('manage users').addHelpText('after', HELP)
  user
    .command('create')
    .description('create a user; asks for the password, or reads it from a pipe')
    .argument('<email>', 'e-mail address of the user', parseEmail)
    .option('--role <role>', 'role of the user; may be repeated', collectRole)
    .option('--password-stdin', 'read the password from standard input, without a prompt')
    .addOption(json())
    .action((email: string, options: CreateOptions) => createUser(terminal, email, options))
  user
    .command('list')
    .description('list users in the order of their e-mail addresses')
    .argument('[prefix]', 'how the e-mail addresses start')
    .addOption(limit())
    .option('--after <email>', 'start after this e-mail address')
    .addOption(json())
    .action((prefix: string | undefined, options: ListOptions) =>
      listUsers(terminal, prefix, options),
    )
  user
    .command('export')
    .description("write all users and their password hashes as 'pawl seed --file' reads them")
    .option('--file <path>', 'create this file, which only its owner can read')
    .action((options: ExportOptions) => exportUsers(terminal, options))
  user
    .command('reset')
    .description('print a token, or a link, with which a user sets a new password')
    .argument('<user>', USER, parseUser)
    .option('--link <page>', 'page of your application that takes the token', parsePage)
    .addOption(json())
    .action((who: string, options: ResetOptions) => resetPassword(terminal, who, options))
  const commands: [string, string, UserAction][] = [
    ['disable', 'disable a user and end their sessions', DISABLE],
    ['enable', 'let a disabled user log in again', ENABLE],
    ['delete', 'delete a user and their sessions', DELETE],
  ]
  for (const [name, description, action] of commands)
    user
      .command(name)
      .description(description)
      .argument('<user>', USER, parseUser)
      .addOption(yes())
      .addOption(json())
      .action((who: string, options: ChangeOptions) => changeUser(terminal, who, action, options))
  user
    .command('roles')
    .description(
      'change the roles of a user, from the next refresh on (with --logout: the next login)',
    )
    .argument('<user>', USER, parseUser)
    .option('--set <roles>', 'replace all roles by these, comma-separated; "" for none', parseRoles)
    .option('--add <roles>', 'add these roles', parseRoles)
    .option('--remove <roles>', 'remove these roles', parseRoles)
    .option('--logout', 'end the sessions of the user')
    .addOption(yes())
    .addOption(json())
    .action((who: string, options: RolesOptions, command: Command) => {
      const { set, add, remove } = options
      if (!set && !add && !remove)
        command.error('error: name the roles with --set a,b, --add a or --remove a')
      if (set && (add || remove))
        command.error('error: --set replaces all roles, so use it without --add and --remove')
      return changeUser(terminal, who, changeRoles(options), options)
    })
}
