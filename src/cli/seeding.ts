import { v7 as uuid } from 'uuid'
import type { Seed } from '../schemas/credentials.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import { normalizePassword } from '../users/password-policy.ts'
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
 * Creates the users of a list and returns the addresses that were new. An existing user is left
 * unchanged and costs no hash. As many users as the hasher can hash at the same time are prepared
 * together, because the hasher would refuse a whole list at once.
 */
export async function seedListed(
  seeds: Seed[],
  { records, hasher, onProgress }: Seeding,
): Promise<string[]> {
  const { concurrency } = hasher

  async function prepare({ email, password, ...rest }: Seed): Promise<UserToInsert[]> {
    const address = email.toLowerCase()
    if (await records.findByEmail(address)) return []
    const passwordHash = await hasher.hash(normalizePassword(password))
    return [{ id: uuid(), email: address, passwordHash, ...rest }]
  }

  const created: string[] = []
  for (let start = 0; start < seeds.length; start += concurrency) {
    const chunk = seeds.slice(start, start + concurrency)
    const users = (await Promise.all(chunk.map(prepare))).flat()
    if (users.length > 0) created.push(...(await records.insertSeeds(users)))
    onProgress(start + chunk.length)
  }
  return created
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
  const passwordHash = await hasher.hash(normalizePassword(password))
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
