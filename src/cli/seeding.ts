import { v7 as uuid } from 'uuid'
import type { Seed } from '../schemas/credentials.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import { type HashWork, workOf } from '../users/password-hashes/hash-formats.ts'
import type { UserRecords, UserToInsert } from '../users/user-records.ts'

/** Rows in one statement. */
const BATCH_SIZE = 1_000

export interface Seeding {
  records: UserRecords
  hasher: PasswordHasher
  /** Is called with the number of users that have been handled so far. */
  onProgress: (done: number) => void
}

/**
 * Creates the users of a list and returns the addresses, or else ids, of those that are new. An
 * existing user is left unchanged and costs no hash. As many users as the hasher can hash at the
 * same time are prepared together, because the hasher would refuse a whole list at once.
 */
export async function seedListed(
  seeds: Seed[],
  { records, hasher, onProgress }: Seeding,
): Promise<string[]> {
  const created: string[] = []
  for (let start = 0; start < seeds.length; ) {
    const chunk = nextChunk(seeds, start, hasher.concurrency)
    const users = await prepare(chunk, records, hasher)
    if (users.length > 0)
      created.push(...(await records.insertSeeds(users)).map(({ email, id }) => email ?? id))
    start += chunk.length
    onProgress(start)
  }
  return created
}

/** Returns either some users whose passwords have to be hashed, or many whose have not. */
function nextChunk(seeds: Seed[], start: number, concurrency: number): Seed[] {
  const hasPassword = seeds[start]?.password !== undefined
  const chunk = seeds.slice(start, start + (hasPassword ? concurrency : BATCH_SIZE))
  const end = chunk.findIndex(({ password }) => (password !== undefined) !== hasPassword)
  return end < 0 ? chunk : chunk.slice(0, end)
}

/** Returns the rows of those users that do not exist yet. */
async function prepare(
  seeds: Seed[],
  records: UserRecords,
  hasher: PasswordHasher,
): Promise<UserToInsert[]> {
  const users = seeds.map(({ id = uuid(), email, ...rest }) => ({
    ...rest,
    id,
    email: email?.toLowerCase() ?? null,
  }))
  const known = await records.findAny(
    users.map(({ id }) => id),
    users.flatMap(({ email }) => email ?? []),
  )
  const ids = new Set(known.map(({ id }) => id))
  const emails = new Set(known.map(({ email }) => email?.toLowerCase()))
  const missing = users.filter(({ id, email }) => !ids.has(id) && !(email && emails.has(email)))
  await records.addHashWork(highest(missing.map(({ passwordHash }) => workOf(passwordHash))))
  return Promise.all(
    missing.map(async ({ password, passwordHash, ...user }) => {
      const hash = password === undefined ? passwordHash : await hasher.hash(password)
      return { ...user, passwordHash: hash ?? null }
    }),
  )
}

function highest(works: HashWork[]): HashWork {
  const highest: Record<string, number> = {}
  for (const [family, cost] of works.flatMap(Object.entries<number>))
    highest[family] = Math.max(cost, highest[family] ?? 0)
  return highest
}

export function numberedEmail(number: number): string {
  return `user${String(number).padStart(6, '0')}@seed.example`
}

/**
 * Creates the users number 1 to `count` and returns how many were new. They all have the same
 * password, which is hashed once. Calls `onFirst` when the first new user exists.
 */
export async function seedNumbered(
  count: number,
  password: string,
  { records, hasher, onProgress }: Seeding,
  onFirst: () => void,
): Promise<number> {
  const passwordHash = await hasher.hash(password)
  await records.addHashWork(hasher.work)
  let created = 0
  for (let start = 0; start < count; start += BATCH_SIZE) {
    const length = Math.min(BATCH_SIZE, count - start)
    const users = Array.from({ length }, (_, index) => ({
      id: uuid(),
      email: numberedEmail(start + index + 1),
      passwordHash,
    }))
    const inserted = (await records.insertSeeds(users)).length
    if (created === 0 && inserted > 0) onFirst()
    created += inserted
    onProgress(start + length)
  }
  return created
}
