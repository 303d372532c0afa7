import { type Page, readPage } from '../common/page.ts'
import type { UserView } from '../embedding/views.ts'
import { PawlError } from '../errors.ts'
import { isUserId } from './user-id.ts'
import type { Account, UserPosition, UserRecords } from './user-records.ts'

/** Users in a page if the query names no limit. */
const DEFAULT_LIMIT = 50

export interface UserPageQuery {
  /** How the e-mail address starts, in any case. */
  email?: string | undefined
  /** The `next` of the previous page. */
  after?: string | undefined
  limit?: number | undefined
}

export function toUserView({ id, email, roles, status, createdAt }: Account): UserView {
  return { id, ...(email && { email }), roles, status, createdAt: createdAt.toISOString() }
}

/** Precedes the id in the `next` of a page. An e-mail address contains no colon. */
const ID_PREFIX = 'id:'

/**
 * Reads a page of users: those without an address in the order of their ids, then the others in the
 * order of their addresses. `next` is the address of the last user, or else the id after `id:`.
 * A page starts after a user and not at an offset, so that users who are added or deleted
 * meanwhile cause no gap and no repetition.
 */
export async function readUserPage(
  records: Pick<UserRecords, 'findByPrefix'>,
  { email = '', after = '', limit = DEFAULT_LIMIT }: UserPageQuery,
): Promise<Page<UserView>> {
  const { items, ...rest } = await readPage(
    limit,
    (count) => records.findByPrefix(email.toLowerCase(), positionOf(after), count),
    (last) => last.email ?? `${ID_PREFIX}${last.id}`,
  )
  return { items: items.map(toUserView), ...rest }
}

function positionOf(after: string): UserPosition {
  if (!after.startsWith(ID_PREFIX)) return { email: after.toLowerCase(), id: LAST_ID }
  return { email: '', id: after.slice(ID_PREFIX.length) }
}

/** Is greater than every id, because an address belongs to one user only. */
const LAST_ID = '~'

/** Returns the cursor, opaque to API clients, of the page that starts after a user. */
export function toCursor(next: string): string {
  return Buffer.from(next).toString('base64url')
}

const ADDRESS = /^[!-~]{1,64}@[!-~]{1,253}$/

/** Returns the `next` in a cursor. Throws `VALIDATION_FAILED` if `toCursor` did not make it. */
export function parseCursor(cursor: string): string {
  const next = Buffer.from(cursor, 'base64url').toString()
  const isKnown = next.startsWith(ID_PREFIX)
    ? isUserId(next.slice(ID_PREFIX.length))
    : ADDRESS.test(next) && next === next.toLowerCase()
  const isValid = isKnown && toCursor(next) === cursor
  if (!isValid)
    throw new PawlError('VALIDATION_FAILED', {
      detail: 'querystring/cursor: is not the cursor of a page',
      errors: [{ field: 'cursor', message: 'is not the cursor of a page' }],
    })
  return next
}
