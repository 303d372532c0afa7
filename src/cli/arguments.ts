import { Value } from '@sinclair/typebox/value'
import { InvalidArgumentError, Option } from 'commander'
import { Email, Role } from '../schemas/credentials.ts'
import { isUserId } from '../users/user-id.ts'

const MAX_ROWS = 10_000

/** Options that several commands have. */
export const json = () => new Option('--json', 'print JSON')
export const yes = () => new Option('--yes', 'skip the confirmation')
export const limit = () =>
  new Option('--limit <n>', 'maximum number of rows').argParser(parseLimit).default(100)

export const USER = 'e-mail address or id of the user'

function parseLimit(text: string): number {
  const rows = Number(text)
  if (/^\d{1,5}$/.test(text) && rows >= 1 && rows <= MAX_ROWS) return rows
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_ROWS}.`)
}

export function parseUser(text: string): string {
  if (isUserId(text) || Value.Check(Email, text)) return text
  throw new InvalidArgumentError('It must be the e-mail address or the id of a user.')
}

export function parseEmail(text: string): string {
  if (Value.Check(Email, text)) return text
  throw new InvalidArgumentError('It must be an e-mail address.')
}

/** Parses the page of an application to which a token is added in the fragment. */
export function parsePage(text: string): string {
  if (/^https?:\/\/[^#]+$/.test(text) && URL.canParse(text)) return text
  throw new InvalidArgumentError('It must be a URL such as https://app.example.com/account.')
}

function parseRole(text: string): string {
  if (Value.Check(Role, text)) return text
  throw new InvalidArgumentError(
    'A role is a lower-case letter, followed by up to 31 characters of a-z 0-9 : _ and -.',
  )
}

/** Parses one role of an option that may be repeated. */
export function collectRole(text: string, earlier: string[] = []): string[] {
  return [...new Set([...earlier, parseRole(text)])]
}

/** Parses a comma-separated list of roles. */
export function parseRoles(text: string, earlier: string[] = []): string[] {
  return [...new Set([...earlier, ...(text ? text.split(',').map(parseRole) : [])])]
}

/** Characters of a UUID v7 that hold the milliseconds at which the session started. */
const SHORTEST_PREFIX = 13
const UUID = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'

export const SESSION = `id of the session, or at least its first ${SHORTEST_PREFIX} characters`

export function parseSessionPrefix(text: string): string {
  const form = new RegExp(`^${UUID.slice(0, text.length).replaceAll('x', '[0-9a-f]')}$`, 'i')
  if (text.length >= SHORTEST_PREFIX && text.length <= UUID.length && form.test(text))
    return text.toLowerCase()
  throw new InvalidArgumentError(
    `It must be the id of a session, or at least its first ${SHORTEST_PREFIX} characters.`,
  )
}

/** Returns the lowest and the highest id that starts with a prefix. */
export function idRange(prefix: string): [lowest: string, highest: string] {
  const rest = UUID.slice(prefix.length)
  return [prefix + rest.replaceAll('x', '0'), prefix + rest.replaceAll('x', 'f')]
}
