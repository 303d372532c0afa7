import { v7 as uuid } from 'uuid'
import type { Seed } from '../schemas/credentials.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import { normalizePassword } from '../users/password-policy.ts'
import type { NewUser, UserRecords } from '../users/user-records.ts'

/** Rows in one statement. */
const BATCH = 1000

export interface Seeding {
  records: UserRecords
  hasher: PasswordHasher
  /** Told how many users have been dealt with. */
  onProgress: (done: number) => void
}

/**
 * Make the users of a list, `concurrency` hashes at a time: more at once the hasher would turn away. Who exists stays
 * as he is, at no cost of a hash. Answers the addresses that were new.
 */
export async function seedListed(
  seeds: Seed[],
  concurrency: number,
  { records, hasher, onProgress }: Seeding,
): Promise<string[]> {
  async function prepare({ email, password, ...rest }: Seed): Promise<NewUser[]> {
    const address = email.toLowerCase()
    if (await records.findByEmail(address)) return []
    return [
      {
        id: uuid(),
        email: address,
        passwordHash: await hasher.hash(normalizePassword(password)),
        ...rest,
      },
    ]
  }

  const made: string[] = []
  for (let start = 0; start < seeds.length; start += concurrency) {
    const chunk = seeds.slice(start, start + concurrency)
    const users = (await Promise.all(chunk.map(prepare))).flat()
    if (users.length > 0) made.push(...(await records.insertSeeds(users)))
    onProgress(start + chunk.length)
  }
  return made
}

export function numberedEmail(number: number): string {
  return `user${String(number).padStart(6, '0')}@seed.example`
}

/**
 * Make the users 1 to `count`, all with one password, hashed once. Answers how many were new; `onFirst` is called when
 * the first of them are in the database.
 */
export async function seedNumbered(
  count: number,
  password: string,
  { records, hasher, onProgress }: Seeding,
  onFirst: () => void,
): Promise<number> {
  const passwordHash = await hasher.hash(normalizePassword(password))
  let made = 0
  for (let start = 0; start < count; start += BATCH) {
    const length = Math.min(BATCH, count - start)
    const users = Array.from({ length }, (_, index) => ({
      id: uuid(),
      email: numberedEmail(start + index + 1),
      passwordHash,
    }))
    const inserted = (await records.insertSeeds(users)).length
    if (made === 0 && inserted > 0) onFirst()
    made += inserted
    onProgress(start + length)
  }
  return made
}
