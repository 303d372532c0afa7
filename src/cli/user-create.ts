import { Value } from '@sinclair/typebox/value'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import { Credentials } from '../schemas/credentials.ts'
import { createAccountService } from '../users/account-service.ts'
import { createPasswordHasher } from '../users/password-hasher.ts'
import { createUserRecords, type UserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { readPassword } from './prompts.ts'
import { adminAction, record } from './record.ts'
import type { Terminal } from './terminal.ts'

export interface CreateOptions {
  role?: string[]
  passwordStdin?: true
  json?: true
}

export async function createUser(
  terminal: Terminal,
  email: string,
  options: CreateOptions,
): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  const { passwordMinLength } = config
  const password = await readPassword(terminal, options.passwordStdin ?? false)
  if (!Value.Check(Credentials, { email, password }))
    throw new Error('The password is too long, or not text.')
  const user = await withDatabase(config, async (database) => {
    const records = { ...createUserRecords(database), insert: inserting(database) }
    const hasher = await createPasswordHasher(config)
    const accounts = createAccountService({ records, hasher, passwordMinLength, signup: false })
    return accounts.create({ email, password }, { roles: options.role ?? [] })
  })
  const { ver: _, ...facts } = user
  terminal.stdout.write(options.json ? `${JSON.stringify(facts)}\n` : `${user.id} ${user.email}\n`)
}

/** Together with what is put on record of it. */
function inserting(database: Database): UserRecords['insert'] {
  return (user) =>
    database.query(
      database.orm.transaction(async (tx) => {
        const made = await createUserRecords({ ...database, orm: tx }).insert(user)
        if (made) await record(tx, adminAction('user_created', { userId: made.id }))
        return made
      }),
    )
}
