import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import postgres from 'postgres'
import type { Comparison, Settings } from '../comparison.ts'
import { pawlEnvironment } from '../contender.ts'
import { startPawl, withStores } from '../launch.ts'

/** Wrong passwords of each account in a round. */
const ATTEMPTS = 100
const ROUNDS = 5

/** Makes the hashes whose accounts are compared with an address that has none. */
async function hashes(): Promise<Record<string, string | null>> {
  const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
  return {
    'argon2id, current parameters': await argon2.hash('x', options),
    'argon2id, earlier parameters': await argon2.hash('x', { ...options, timeCost: 1 }),
    'bcrypt, cost 10': await bcrypt.hash('x', 10),
    'bcrypt, cost 8': await bcrypt.hash('x', 8),
    'no password': null,
  }
}

/**
 * Returns how well the times tell two accounts apart: the probability that a time of one is longer
 * than a time of the other (the area under the ROC curve). 0.5 is not at all.
 */
function areaUnderCurve(one: readonly number[], other: readonly number[]): number {
  let longer = 0
  for (const a of one) for (const b of other) longer += a > b ? 1 : a === b ? 0.5 : 0
  return longer / (one.length * other.length)
}

/**
 * Compares how long a failed login takes for accounts with different hashes, and for an address
 * without an account. The attempts are interleaved, one at a time.
 */
export function loginTiming({ quick }: Settings): Promise<Comparison> {
  return withStores(async (stores) => {
    const env = await pawlEnvironment(stores)
    const pawl = await startPawl(stores, { env })
    const accounts = await hashes()
    const sql = postgres(env.DATABASE_URL, { max: 1, onnotice: () => {} })
    for (const [name, hash] of Object.entries(accounts))
      await sql`
        insert into pawl.users (id, email, password_hash)
        values (${addressOf(name)}, ${addressOf(name)}, ${hash})`
    await sql.end()

    const names = Object.keys(accounts)
    const attempt = async (email: string) => {
      const start = performance.now()
      const response = await fetch(`${pawl.url}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password: 'a wrong password' }),
      })
      await response.arrayBuffer()
      if (response.status !== 401) throw new Error(`a wrong password got ${response.status}`)
      return performance.now() - start
    }
    // The first attempts tell Pawl which kinds of hashes there are.
    for (const name of names) for (let n = 0; n < 2; n += 1) await attempt(addressOf(name))

    const rounds: Map<string, number[]>[] = []
    for (let round = 0; round < (quick ? 1 : ROUNDS); round += 1) {
      const times = new Map<string, number[]>([...names, UNKNOWN].map((name) => [name, []]))
      for (let n = 0; n < (quick ? 4 : ATTEMPTS); n += 1)
        for (const name of shuffled([...times.keys()]))
          times.get(name)?.push(await attempt(addressOf(name)))
      rounds.push(times)
    }
    const areas = (name: string) =>
      rounds.map((times) => areaUnderCurve(times.get(name) ?? [], times.get(UNKNOWN) ?? []))
    return {
      title: 'Time of a failed login',
      unit: 'AUC against an unknown address',
      figures: names.map((name) => ({ name, values: areas(name) })),
      targets: names.flatMap((figure) => [
        { figure, is: 'at least' as const, value: 0.4 },
        { figure, is: 'at most' as const, value: 0.6 },
      ]),
      notes: [
        'The probability that a failed login of this account takes longer than one of an unknown ' +
          'address: 0.5 means that the time tells nothing.',
      ],
    }
  })
}

const UNKNOWN = 'unknown'
const addressOf = (name: string) => `${name.replaceAll(/\W+/g, '-')}@example.com`

function shuffled<T>(values: T[]): T[] {
  return values
    .map((value) => ({ value, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ value }) => value)
}
