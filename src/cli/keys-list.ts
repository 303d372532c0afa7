import { loadDatabaseConfig } from '../config/config.ts'
import { type KeyRecord, type Purpose, stateOf } from '../keys/key-record.ts'
import { createKeyRecords, type KeyRecords } from '../keys/key-records.ts'
import { withDatabase } from './database.ts'
import { formatTime, printJson, printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  purpose?: Purpose
  all?: true
  json?: true
}

/** Characters of a key's id in tables. */
const SHOWN_OF_KID = 12

export function withKeys(
  { env }: Terminal,
  work: (records: KeyRecords) => Promise<void>,
): Promise<void> {
  return withDatabase(loadDatabaseConfig(env), (database) => work(createKeyRecords(database)))
}

export async function listKeys(
  terminal: Terminal,
  { purpose, all, json }: ListOptions,
): Promise<void> {
  await withKeys(terminal, async (records) => {
    const { keys, now } = await records.readAll()
    const shown = keys.filter(
      (key) => (!purpose || key.purpose === purpose) && (all || stateOf(key, now) !== 'gone'),
    )
    const none = 'There are no keys yet. The server makes them when it starts.'
    if (keys.length === 0 && !json) terminal.stdout.write(`${none}\n`)
    else printKeys(terminal, shown, now, json)
  })
}

export function printKeys(
  terminal: Terminal,
  keys: readonly KeyRecord[],
  now: number,
  json: true | undefined,
): void {
  if (json) {
    printJson(
      terminal,
      keys.map((key) => toJson(key, now)),
    )
    return
  }
  const rows = keys.map((key) => [
    key.kid.slice(0, SHOWN_OF_KID),
    key.purpose,
    stateOf(key, now),
    key.algorithm,
    formatTime(key.signsFrom),
    formatTime(key.expiresAt),
  ])
  const heading = ['KID', 'PURPOSE', 'STATE', 'ALG', 'SIGNS FROM', 'VERIFIES UNTIL']
  printTable(terminal, { heading, rows, none: 'There are no such keys.' })
}

function toJson(key: KeyRecord, now: number) {
  const { kid, purpose, algorithm } = key
  const { createdAt, readyAt, signsFrom, retiredAt, expiresAt, revokedAt } = key
  const times = { createdAt, readyAt, signsFrom, retiredAt, expiresAt, revokedAt }
  const iso = Object.entries(times).map(([name, ms]) => [
    name,
    ms === null ? null : new Date(ms).toISOString(),
  ])
  return { kid, purpose, algorithm, state: stateOf(key, now), ...Object.fromEntries(iso) }
}
