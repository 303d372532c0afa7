import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError } from 'commander'
import { Email, Role } from '../schemas/credentials.ts'
import { json, parseLimit, yes } from './arguments.ts'
import { parseUser } from './lookup.ts'
import type { Terminal } from './terminal.ts'
import {
  type Change,
  type ChangeOptions,
  changeUser,
  DELETE,
  DISABLE,
  ENABLE,
} from './user-change.ts'
import { type CreateOptions, createUser } from './user-create.ts'
import { type ListOptions, listUsers } from './user-list.ts'
import { type RolesOptions, rolesChange } from './user-roles.ts'

const HELP = `
A user is named by e-mail address or id. What ends sessions is committed first
and then finished by the running servers, within seconds: the command waits for
that, and says so. It needs the database alone, no secret and no Redis.`

/** `pawl user …`: the accounts, one at a time. */
export function addUser(program: Command, terminal: Terminal): void {
  const user = program.command('user').description('manage users').addHelpText('after', HELP)
  user
    .command('create')
    .description('make a user; the password is asked for, or read from a pipe')
    .argument('<email>', "the user's e-mail address", parseEmail)
    .option('--role <role>', 'a role of the user; may be repeated', collectRole)
    .option('--password-stdin', 'read the password from standard input without asking')
    .addOption(json())
    .action((email: string, options: CreateOptions) => createUser(terminal, email, options))
  user
    .command('list')
    .description('show the users, in the order of their addresses')
    .argument('[beginning]', 'of the e-mail address')
    .option('--limit <n>', 'so many at most', parseLimit, 100)
    .option('--after <email>', 'only those after this one')
    .addOption(json())
    .action((beginning: string | undefined, options: ListOptions) =>
      listUsers(terminal, beginning ?? '', options),
    )
  const commands: [string, string, Change][] = [
    ['disable', 'let a user in no more, and end his sessions', DISABLE],
    ['enable', 'let a user in again', ENABLE],
    ['delete', 'delete a user with all his sessions', DELETE],
  ]
  for (const [name, description, change] of commands)
    user
      .command(name)
      .description(description)
      .argument('<user>', 'e-mail address or id', parseUser)
      .addOption(yes())
      .addOption(json())
      .action((who: string, options: ChangeOptions) => changeUser(terminal, who, change, options))
  user
    .command('roles')
    .description(
      'change the roles of a user: by the next refresh of each session, or with --logout by a new login',
    )
    .argument('<user>', 'e-mail address or id', parseUser)
    .option('--set <roles>', 'these and no others, comma-separated; "" for none', parseRoles)
    .option('--add <roles>', 'these, too', parseRoles)
    .option('--remove <roles>', 'these no more', parseRoles)
    .option('--logout', 'end his sessions')
    .addOption(yes())
    .addOption(json())
    .action((who: string, options: RolesOptions, command: Command) => {
      if (!options.set && !options.add && !options.remove)
        command.error('error: say which roles: --set a,b, --add a or --remove a')
      if (options.set && (options.add || options.remove))
        command.error('error: --set says all there is: it goes without --add and --remove')
      return changeUser(terminal, who, rolesChange(options), options)
    })
}

function parseEmail(text: string): string {
  if (!Value.Check(Email, text)) throw new InvalidArgumentError('It is not an e-mail address.')
  return text
}

function parseRole(text: string): string {
  if (!Value.Check(Role, text))
    throw new InvalidArgumentError(
      'A role is a lower-case letter, then up to 31 of a-z 0-9 : _ and -.',
    )
  return text
}

function collectRole(text: string, earlier: string[] = []): string[] {
  return [...new Set([...earlier, parseRole(text)])]
}

function parseRoles(text: string, earlier: string[] = []): string[] {
  return [...new Set([...earlier, ...(text ? text.split(',').map(parseRole) : [])])]
}
