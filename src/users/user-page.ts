import { type Page, readPage } from '../common/page.ts'
import { PawlError } from '../errors.ts'
import type { Account, UserRecords, UserStatus } from './user-records.ts'

/** Users in a page if the query names no limit. */
const DEFAULT_LIMIT = 50

/** A user as administrators see them. */
export interface UserView {
  id: string
  email: string
  roles: string[]
  status: UserStatus
  /** A time in the format of RFC 3339. */
  createdAt: string
}

export interface UserPageQuery {
  /** How the e-mail address starts, in any case. */
  email?: string | undefined
  /** The e-mail address after which the page starts. */
  after?: string | undefined
  limit?: number | undefined
}

export function toUserView({ id, email, roles, status, createdAt }: Account): UserView {
  return { id, email, roles, status, createdAt: createdAt.toISOString() }
}

/**
 * Reads a page of users in the order of their addresses. `next` is the address of the last user.
 * A page starts after an address and not at an offset, so that users who are added or deleted
 * meanwhile cause no gap and no repetition.
 */
export async function readUserPage(
  records: Pick<UserRecords, 'findByPrefix'>,
  { email = '', after = '', limit = DEFAULT_LIMIT }: UserPageQuery,
): Promise<Page<UserView>> {
  const { items, ...rest } = await readPage(
    limit,
    (count) => records.findByPrefix(email.toLowerCase(), after.toLowerCase(), count),
    (last) => last.email,
  )
  return { items: items.map(toUserView), ...rest }
}

/** Returns the cursor, opaque to API clients, of the page that starts after an address. */
export function toCursor(email: string): string {
  return Buffer.from(email).toString('base64url')
}

const ADDRESS = /^[!-~]{1,64}@[!-~]{1,253}$/

/** Returns the address in a cursor. Throws `VALIDATION_FAILED` if `toCursor` did not make it. */
export function parseCursor(cursor: string): string {
  const email = Buffer.from(cursor, 'base64url').toString()
  const isValid = ADDRESS.test(email) && email === email.toLowerCase() && toCursor(email) === cursor
  if (!isValid)
    throw new PawlError('VALIDATION_FAILED', {
      detail: 'querystring/cursor: is not the cursor of a page',
      errors: [{ field: 'cursor', message: 'is not the cursor of a page' }],
    })
  return email
}
