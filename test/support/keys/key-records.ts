import type { TestContext } from 'node:test'
import { openPostgres } from '../../../src/db/postgres.ts'
import { PURPOSES, type Purpose, stateOf } from '../../../src/keys/key-record.ts'
import { createKeyRecords, eachPurpose, type KeyRecords } from '../../../src/keys/key-records.ts'
import { rotate, standbyOf } from '../../../src/keys/lifecycle.ts'
import { cleanUp } from '../clean-up.ts'
import type { Env } from '../environment.ts'
import { readJwt } from '../forgeries.ts'
import { until } from '../until.ts'

/** Opens the table of keys as the commands do. */
export async function openRecords(t: TestContext, env: Env): Promise<KeyRecords> {
  const database = await openPostgres(env.DATABASE_URL ?? '')
  cleanUp(t, () => database.close())
  return createKeyRecords(database)
}

/** Returns the id of the key that signed the token. */
export const kidOf = (token: string) => String(readJwt(token)[0].kid)

/** Rotates like `pawl keys rotate`, as soon as there is a next key for each purpose. */
export async function rotateBoth(records: KeyRecords): Promise<void> {
  await until(async () => {
    let ready = false
    await records.change((keys, now) => {
      ready = PURPOSES.every((purpose) =>
        standbyOf(
          keys.filter((key) => key.purpose === purpose),
          now,
        ),
      )
      return ready ? eachPurpose(keys, (own) => rotate(own, now)) : keys
    })
    return ready
  })
}

/** Returns the id of the key of one purpose that signs now. */
export async function currentKid(records: KeyRecords, purpose: Purpose): Promise<string> {
  const { keys, now } = await records.read()
  const current = keys.filter((key) => key.purpose === purpose && stateOf(key, now) === 'current')
  return current.at(-1)?.kid ?? ''
}
