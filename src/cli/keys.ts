import { type Command, Option } from 'commander'
import { loadDatabaseConfig } from '../config/config.ts'
import { type KeyRecord, PURPOSES, type Purpose, stateOf } from '../keys/key-record.ts'
import { createKeyRecords, eachPurpose, type KeyRecords } from '../keys/key-records.ts'
import { retire, revoke, rotate, standbyOf } from '../keys/lifecycle.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import { formatTable, formatTime } from './table.ts'
import type { Terminal } from './terminal.ts'

interface Options {
  purpose?: Purpose
  all?: true
  now?: true
  yes?: true
  json?: true
}

type Keys = readonly KeyRecord[]

const SHOWN = 12
const SHORTEST_PREFIX = 6

const HELP = `
A key is next (published, not yet signing), current, retired (it verifies until nothing that it signed matters any
more), then gone. The running servers make new keys and follow every change within seconds; these commands need no secret.
Without DATABASE_URL they work on the embedded database, while its server is stopped.`

/** `pawl keys …`: what tokens are signed with. */
export function addKeys(program: Command, terminal: Terminal): void {
  const keys = program
    .command('keys')
    .description('manage the signing keys')
    .addHelpText('after', HELP)
  const purpose = () =>
    new Option('--purpose <purpose>', 'the keys of these tokens').choices(PURPOSES)
  const json = () => new Option('--json', 'for programs')
  keys
    .command('list')
    .description('show the keys and their states')
    .addOption(purpose())
    .option('--all', 'also those that are gone')
    .addOption(json())
    .action((options: Options) => withKeys(terminal, (records) => list(terminal, records, options)))
  keys
    .command('rotate')
    .description('let the next keys sign; nobody is logged out')
    .addOption(purpose())
    .addOption(json())
    .action((options: Options) =>
      withKeys(terminal, (records) => rotateAll(terminal, records, options)),
    )
  keys
    .command('retire')
    .description('take one key out of use; with --now refuse at once what it signed')
    // An id may begin with a dash.
    .allowUnknownOption()
    .argument('<kid>', `the id of the key, or its first ${SHORTEST_PREFIX} characters or more`)
    .option('--now', 'for a key that is no secret any more')
    .option('--yes', 'do not ask')
    .addOption(json())
    .action((kid: string, options: Options) =>
      withKeys(terminal, (records) => retireOne(terminal, records, kid, options)),
    )
}

function withKeys(terminal: Terminal, work: (records: KeyRecords) => Promise<void>): Promise<void> {
  return withDatabase(loadDatabaseConfig(terminal.env), (database) =>
    work(createKeyRecords(database)),
  )
}

async function list(
  terminal: Terminal,
  records: KeyRecords,
  { purpose, all, json }: Options,
): Promise<void> {
  const { keys, now } = await records.readAll()
  if (keys.length === 0 && !json)
    terminal.stdout.write('There are no keys yet: the server makes them when it starts.\n')
  else
    print(
      terminal,
      keys.filter(
        (key) => (!purpose || key.purpose === purpose) && (all || stateOf(key, now) !== 'gone'),
      ),
      now,
      json,
    )
}

async function rotateAll(
  terminal: Terminal,
  records: KeyRecords,
  { purpose, json }: Options,
): Promise<void> {
  let before: Keys = []
  const { keys, now } = await records.change((held, at) => {
    before = held
    const wanted = PURPOSES.filter((one) => !purpose || one === purpose)
    for (const one of wanted) requireStandby(held, one, at)
    return eachPurpose(held, (own, one) => (wanted.includes(one) ? rotate(own, at) : own))
  })
  print(terminal, changed(keys, before), now, json)
}

async function retireOne(
  terminal: Terminal,
  records: KeyRecords,
  prefix: string,
  options: Options,
) {
  const { keys: held, now: at } = await records.readAll()
  const { kid, purpose } = find(held, prefix)
  if (options.now && !options.yes) await confirm(terminal, `Key ${kid}: ${CONSEQUENCES[purpose]}`)
  let before: Keys = held
  const { keys, now } = await records.change((current, time) => {
    before = current
    if (!options.now) requireOrder(find(current, kid), current, time)
    const rule = options.now ? revoke : retire
    return eachPurpose(current, (own) => rule(own, kid, time))
  })
  const after = changed(keys, before)
  if (after.length > 0 || options.json) print(terminal, after, now, options.json)
  else terminal.stdout.write(`The key is ${stateOf(find(held, kid), at)} already.\n`)
}

const CONSEQUENCES: Record<Purpose, string> = {
  access:
    'every access token that it signed is refused at once. Clients get another by refreshing.',
  refresh:
    'every refresh token that it signed is refused at once. Users whose newest one it is have to log in again.',
}

function find(keys: Keys, prefix: string): KeyRecord {
  const found =
    prefix.length < SHORTEST_PREFIX ? [] : keys.filter(({ kid }) => kid.startsWith(prefix))
  const [key] = found.length > 1 ? found.filter(({ kid }) => kid === prefix) : found
  if (key) return key
  throw new Error(
    found.length > 1
      ? `More than one key's id begins with ${prefix}.`
      : `No key has the id ${prefix}.`,
  )
}

/** A key in the middle of a change goes out of use by itself, or with --now. */
function requireOrder(key: KeyRecord, keys: Keys, now: number): void {
  const own = keys.filter(({ purpose }) => purpose === key.purpose)
  const state = stateOf(key, now)
  if (state === 'next' && key !== standbyOf(own, now))
    throw new Error(`The key is about to sign, from ${formatTime(key.signsFrom)} on.`)
  if (state === 'current' && key.retiredAt === null) requireStandby(own, key.purpose, now)
}

function requireStandby(keys: Keys, purpose: Purpose, now: number): void {
  const own = keys.filter((key) => key.purpose === purpose)
  if (!standbyOf(own, now))
    throw new Error(
      `There is no next ${purpose} key yet: a running server makes one within seconds.`,
    )
}

function changed(after: Keys, before: Keys): Keys {
  return after.filter((key) => !before.includes(key))
}

const HEADING = ['KID', 'PURPOSE', 'STATE', 'ALG', 'SIGNS FROM', 'VERIFIES UNTIL']

function print({ stdout }: Terminal, keys: Keys, now: number, json: true | undefined): void {
  if (json) {
    stdout.write(`${JSON.stringify(keys.map((key) => describe(key, now)))}\n`)
    return
  }
  const rows = keys.map((key) => [
    key.kid.slice(0, SHOWN),
    key.purpose,
    stateOf(key, now),
    key.algorithm,
    formatTime(key.signsFrom),
    formatTime(key.expiresAt),
  ])
  stdout.write(formatTable(HEADING, rows))
}

function describe(key: KeyRecord, now: number) {
  const {
    kid,
    purpose,
    algorithm,
    createdAt,
    readyAt,
    signsFrom,
    retiredAt,
    expiresAt,
    revokedAt,
  } = key
  const times = { createdAt, readyAt, signsFrom, retiredAt, expiresAt, revokedAt }
  const iso = Object.entries(times).map(([name, ms]) => [
    name,
    ms === null ? null : new Date(ms).toISOString(),
  ])
  return { kid, purpose, algorithm, state: stateOf(key, now), ...Object.fromEntries(iso) }
}
