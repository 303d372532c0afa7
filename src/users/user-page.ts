import { Value } from '@sinclair/typebox/value'
import { PawlError } from '../errors.ts'
import { Email } from '../schemas/credentials.ts'
import type { UserQuery } from '../schemas/users.ts'
import type { User, UserRecords } from './user-records.ts'

/** Users of a page, unless asked for another number. */
const USUAL = 50

export interface UserPage {
  users: User[]
  /** The `cursor` of the next page, where there is one. */
  next?: string
}

/** Users by the beginning of their address, a page at a time, in the order of their addresses. */
export async function readUsers(
  records: Pick<UserRecords, 'page'>,
  query: UserQuery,
): Promise<UserPage> {
  const { email = '', cursor, limit = USUAL } = query
  const after = cursor === undefined ? '' : readCursor(cursor)
  // One more than asked for: whether there is a next page.
  const found = await records.page(email.toLowerCase(), after, limit + 1)
  const users = found.slice(0, limit)
  const last = users.at(-1)
  return found.length > limit && last ? { users, next: toCursor(last.email) } : { users }
}

/** Of an address, not of a place: pages follow each other whoever comes or goes in between. */
function toCursor(email: string): string {
  return Buffer.from(email).toString('base64url')
}

function readCursor(cursor: string): string {
  const email = Buffer.from(cursor, 'base64url').toString()
  const isOurs =
    Value.Check(Email, email) && email === email.toLowerCase() && toCursor(email) === cursor
  if (!isOurs)
    throw new PawlError('VALIDATION_FAILED', { detail: 'querystring/cursor: not one of a page' })
  return email
}
