import { type KeyRecord, PURPOSES, type Purpose, stateOf } from '../keys/key-record.ts'
import { eachPurpose } from '../keys/key-records.ts'
import { retire, revoke, rotate, standbyOf } from '../keys/lifecycle.ts'
import { printKeys, withKeys } from './keys-list.ts'
import { confirm } from './prompts.ts'
import { formatTime } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface RotateOptions {
  purpose?: Purpose
  json?: true
}

export interface RetireOptions {
  now?: true
  yes?: true
  json?: true
}

type Keys = readonly KeyRecord[]

/** Characters of an id that a command accepts in place of the whole id. */
export const SHORTEST_PREFIX = 6

/** Lets the next keys sign, and prints the keys that this changes. */
export async function rotateKeys(
  terminal: Terminal,
  { purpose, json }: RotateOptions,
): Promise<void> {
  await withKeys(terminal, async (records) => {
    let before: Keys = []
    const purposes = PURPOSES.filter((one) => !purpose || one === purpose)
    const { keys, now } = await records.change((current, time) => {
      before = current
      for (const one of purposes) requireStandby(current, one, time)
      return eachPurpose(current, (own, one) => (purposes.includes(one) ? rotate(own, time) : own))
    })
    printKeys(terminal, differences(keys, before), now, json)
  })
}

/** Takes a key out of use, and prints the keys that this changes. With `now`, revokes it. */
export async function retireKey(
  terminal: Terminal,
  prefix: string,
  { now: atOnce, yes, json }: RetireOptions,
): Promise<void> {
  await withKeys(terminal, async (records) => {
    const read = await records.readAll()
    const key = findKey(read.keys, prefix)
    const { kid, purpose } = key
    if (atOnce && !yes) await confirm(terminal, `Key ${kid}: ${CONSEQUENCES[purpose]}`)
    let before: Keys = read.keys
    const { keys, now } = await records.change((current, time) => {
      before = current
      if (!atOnce) requireRetirable(findKey(current, kid), current, time)
      return eachPurpose(current, (own) => (atOnce ? revoke : retire)(own, kid, time))
    })
    const changed = differences(keys, before)
    if (changed.length > 0 || json) printKeys(terminal, changed, now, json)
    else terminal.stdout.write(`The key is ${stateOf(key, read.now)} already.\n`)
  })
}

const CONSEQUENCES: Record<Purpose, string> = {
  access: 'every access token that it signed will be refused. Clients get a new one by refreshing.',
  refresh:
    'every refresh token that it signed will be refused. Users whose newest refresh token it ' +
    'signed will have to log in again.',
}

function findKey(keys: Keys, prefix: string): KeyRecord {
  const found =
    prefix.length < SHORTEST_PREFIX ? [] : keys.filter(({ kid }) => kid.startsWith(prefix))
  const [key] = found.length > 1 ? found.filter(({ kid }) => kid === prefix) : found
  if (key) return key
  throw new Error(
    found.length > 1
      ? `Several keys have an id that starts with ${prefix}. Give more of it.`
      : `No key has the id ${prefix}. To see the keys: pawl keys list`,
  )
}

/** Throws if the key is about to sign, or if no other key could sign in its place. */
function requireRetirable(key: KeyRecord, keys: Keys, now: number): void {
  const own = keys.filter(({ purpose }) => purpose === key.purpose)
  const state = stateOf(key, now)
  if (state === 'next' && key !== standbyOf(own, now))
    throw new Error(
      `The key is about to sign, from ${formatTime(key.signsFrom)} on. ` +
        'Retire it after that, or at once with --now.',
    )
  if (state === 'current' && key.retiredAt === null) requireStandby(own, key.purpose, now)
}

function requireStandby(keys: Keys, purpose: Purpose, now: number): void {
  const own = keys.filter((key) => key.purpose === purpose)
  if (!standbyOf(own, now))
    throw new Error(
      `There is no next ${purpose} key yet. A running server makes one within seconds: try again.`,
    )
}

/** A key that did not change is the same object. */
function differences(after: Keys, before: Keys): Keys {
  return after.filter((key) => !before.includes(key))
}
