import { Value } from '@sinclair/typebox/value'
import { InvalidArgumentError } from 'commander'
import { validate } from 'uuid'
import { Email } from '../schemas/credentials.ts'
import type { User, UserRecords } from '../users/user-records.ts'

/** An argument that names a user: the e-mail address, or the id. */
export function parseUser(text: string): string {
  if (validate(text) || Value.Check(Email, text)) return text.toLowerCase()
  throw new InvalidArgumentError('It is neither an e-mail address nor the id of a user.')
}

/** Rejects where there is no such user. */
export async function findUser(records: UserRecords, name: string): Promise<User> {
  const user = await (validate(name) ? records.findById(name) : records.findByEmail(name))
  if (!user) throw new Error(`There is no user ${name}.`)
  return user
}
