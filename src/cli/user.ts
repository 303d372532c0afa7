import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError } from 'commander'
import { loadDatabaseConfig } from '../config.ts'
import { Credentials, Email, Role } from '../schemas/credentials.ts'
import { createAccountService } from '../users/account-service.ts'
import { createPasswordHasher } from '../users/password-hasher.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { readPassword } from './password-input.ts'
import type { Terminal } from './terminal.ts'

interface CreateOptions {
  role?: string[]
  passwordStdin?: true
}

/** `pawl user …`: the accounts, one at a time. */
export function addUser(program: Command, terminal: Terminal): void {
  const user = program.command('user').description('manage users')
  user
    .command('create')
    .description('make a user; the password is asked for, or read from a pipe')
    .argument('<email>', "the user's e-mail address", parseEmail)
    .option('--role <role>', 'a role of the user; may be repeated', collectRole)
    .option('--password-stdin', 'read the password from standard input without asking')
    .action((email: string, options: CreateOptions) => create(terminal, email, options))
}

async function create(terminal: Terminal, email: string, options: CreateOptions): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  const { minLength, ...costs } = config.passwords
  const password = await readPassword(terminal, options.passwordStdin ?? false)
  if (!Value.Check(Credentials, { email, password }))
    throw new Error('The password is too long, or not text.')
  const user = await withDatabase(config, async (database) => {
    const records = createUserRecords(database)
    const hasher = await createPasswordHasher(costs)
    const accounts = createAccountService({ records, hasher, minLength, signup: false })
    return accounts.create({ email, password }, { roles: options.role ?? [] })
  })
  terminal.stdout.write(`${user.id} ${user.email}\n`)
}

function parseEmail(text: string): string {
  if (!Value.Check(Email, text)) throw new InvalidArgumentError('It is not an e-mail address.')
  return text
}

function collectRole(text: string, earlier: string[] = []): string[] {
  if (!Value.Check(Role, text))
    throw new InvalidArgumentError('A role is a lower-case letter, then up to 31 of a-z 0-9 : _ and -.')
  return [...new Set([...earlier, text])]
}
