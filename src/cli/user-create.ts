import { Value } from '@sinclair/typebox/value'
import { Credentials } from '../schemas/credentials.ts'
import { readPassword } from './prompts.ts'
import { OPERATOR, withServices } from './services.ts'
import { printJson } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface CreateOptions {
  role?: string[]
  passwordStdin?: true
  json?: true
}

export async function createUser(
  terminal: Terminal,
  email: string,
  { role: roles = [], passwordStdin, json }: CreateOptions,
): Promise<void> {
  const password = await readPassword(terminal, passwordStdin ?? false)
  if (!Value.Check(Credentials, { email, password }))
    throw new Error('The password is too long, or is not valid text.')
  const user = await withServices(terminal, ({ administration }) =>
    administration.create({ email, password, roles }, OPERATOR),
  )
  if (json) printJson(terminal, user)
  else terminal.stdout.write(`${user.id} ${user.email}\n`)
}
