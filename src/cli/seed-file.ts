import { readFile } from 'node:fs/promises'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { Value } from '@sinclair/typebox/value'
import { PawlError } from '../errors.ts'
import { Seed } from '../schemas/credentials.ts'
import { checkNewUser } from '../users/new-user.ts'
import type { PasswordPolicy } from '../users/password-policy.ts'

const USER =
  'must be an object with "email" or "id", and optionally "password" or "passwordHash", "roles" ' +
  'and "status"'
const ROLE = 'must be a lower-case letter, followed by up to 31 characters of a-z 0-9 : _ and -'
const EXPECTED: Record<string, string> = {
  email: 'must be an e-mail address',
  emailVerified: 'must be true or false',
  id: 'must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ | -',
  password: 'must be text of 1 to 512 characters',
  passwordHash: 'must be a password hash of at most 1024 characters',
  roles: 'must be a list of at most 32 different roles',
  status: 'must be "active" or "disabled"',
}

/**
 * Returns the users in the JSON file at `path`. Their passwords meet the policy for new passwords.
 * Rejects with the place of every problem in the file, and never with a value.
 */
export async function readSeeds(path: string, policy: PasswordPolicy): Promise<Seed[]> {
  const entries = await readArray(path)
  const places = new Map<string, number>()
  const problems = entries.flatMap((entry, index) => {
    if (!Value.Check(Seed, entry)) return schemaProblems(entry, index)
    return [...repetition(entry, index, places), ...userProblems(entry, index, policy)]
  })
  if (problems.length > 0)
    throw new Error(problems.map((problem) => `${path} ${problem}`).join('\n'))
  return entries as Seed[]
}

async function readArray(path: string): Promise<unknown[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `${path} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.code}`,
    )
  })
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === 'feff') throw new Error(`${path} is UTF-16: save it as UTF-8`)
  let content: unknown
  try {
    // The decoder removes a byte order mark, which some editors write.
    content = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    // The message of the parser is not used, because it quotes the file.
    throw new Error(`${path} is not JSON`)
  }
  if (!Array.isArray(content)) throw new Error(`${path} must contain an array of users`)
  return content
}

/** Returns one problem per place: a missing property would also be no string and no address. */
function schemaProblems(entry: unknown, index: number): string[] {
  const byPlace = new Map<string, string>()
  for (const error of Value.Errors(Seed, entry)) {
    const keys = error.path.split('/').slice(1)
    const place = `[${index}]${keys.map(formatKey).join('')}`
    if (!byPlace.has(place)) byPlace.set(place, `${place}: ${expectation(error, keys)}`)
  }
  return [...byPlace.values()]
}

function formatKey(key: string): string {
  if (/^\d+$/.test(key)) return `[${key}]`
  return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function expectation({ type }: ValueError, [key, inner]: string[]): string {
  if (key === undefined) return USER
  if (type === ValueErrorType.ObjectAdditionalProperties) return 'is not a property of a user'
  if (type === ValueErrorType.ObjectRequiredProperty) return 'is missing'
  return inner === undefined ? (EXPECTED[key] ?? USER) : ROLE
}

function repetition(seed: Seed, index: number, places: Map<string, number>): string[] {
  return [
    ['id', seed.id],
    ['email', seed.email?.toLowerCase()],
  ].flatMap(([property, value]) => {
    if (value === undefined) return []
    const key = `${property} ${value}`
    const first = places.get(key)
    places.set(key, first ?? index)
    return first === undefined
      ? []
      : [`[${index}].${property}: is the same as [${first}].${property}`]
  })
}

/** Returns what a schema cannot find. */
function userProblems(seed: Seed, index: number, policy: PasswordPolicy): string[] {
  try {
    checkNewUser(seed, policy)
    return []
  } catch (error) {
    if (!(error instanceof PawlError)) throw error
    return (error.errors ?? []).map(({ field, message }) => `[${index}].${field}: ${message}`)
  }
}
