/**
 * The life of the keys of one purpose, as pure functions from what the table holds to what it is to hold: next (published,
 * not yet signing), current, retired (verifies until nothing that it signed matters any more), gone. A key that nothing
 * changes about is the same object in the answer.
 */
import { type KeyRecord, stateOf } from './key-record.ts'

/**
 * Milliseconds between the decision that a key signs and the moment from which it does: several times as long as it takes
 * the nodes to hear of it, so that all of them change over at the same time.
 */
export const LEAD = 3_000
/** Milliseconds that a key verifies beyond the life of its last token: clocks differ, and a node may hear late. */
export const LEEWAY = 60_000

export interface Policy {
  /** Milliseconds that a key signs; undefined, until somebody rotates it. */
  keyRotationAge: number | undefined
  /** Milliseconds for which a token of this purpose may matter. */
  tokenLife: number
  /** What keys are to be for. Undefined, whatever they are for: nodes of two configurations would undo each other's work. */
  algorithm: string | undefined
}

type Keys = readonly KeyRecord[]

/** The key at the end of the line: the one that signs, or the last that is going to. */
export function headOf(keys: Keys, now: number): KeyRecord | undefined {
  return lineOf(keys, now).findLast(({ retiredAt }) => retiredAt === null)
}

/** The key that stands by. */
export function standbyOf(keys: Keys, now: number): KeyRecord | undefined {
  return keys.find((key) => key.signsFrom === null && stateOf(key, now) === 'next')
}

/**
 * Let the key that stands by sign as soon as everybody has seen it, and retire the one before it then. Nothing changes where
 * none stands by.
 */
export function rotate(keys: Keys, now: number): Keys {
  const standby = standbyOf(keys, now)
  const head = headOf(keys, now)
  if (!standby) return keys
  const at = Math.max(now + LEAD, standby.readyAt, (head?.signsFrom ?? 0) + 1)
  return change(change(keys, standby, { signsFrom: at }), head, retirement(head, at))
}

/** Let a key go in order: one that signs, by rotation; one that stands by, at once, as it has signed nothing. */
export function retire(keys: Keys, kid: string, now: number): Keys {
  const key = keys.find((other) => other.kid === kid)
  if (key && key === standbyOf(keys, now)) return change(keys, key, { expiresAt: now, ...EMPTIED })
  return key && key === headOf(keys, now) ? rotate(keys, now) : keys
}

/** Retire a key that is no secret any more: whatever it signed is refused, and another signs at once. */
export function revoke(keys: Keys, kid: string, now: number): Keys {
  const key = keys.find((other) => other.kid === kid)
  if (!key || key.revokedAt !== null) return keys
  const times = { retiredAt: key.retiredAt ?? now, expiresAt: now, revokedAt: now }
  return relink(signNow(change(keys, key, { ...times, ...EMPTIED }), now), now)
}

/**
 * What is due: the private halves of keys that are gone are taken away, something signs, something stands by, and who has
 * signed for long enough is relieved. `spare` is a new key, used where one is needed.
 */
export function maintain(keys: Keys, now: number, policy: Policy, spare?: KeyRecord): Keys {
  let after = keys.map((key) => bury(prolong(key, now, policy.tokenLife), now))
  const standby = standbyOf(after, now)
  if (standby && policy.algorithm !== undefined && standby.algorithm !== policy.algorithm)
    after = [...change(after, standby, { expiresAt: now, ...EMPTIED })]
  if (spare && !standbyOf(after, now)) after.push(spare)
  after = [...signNow(after, now)]
  return isDue(headOf(after, now), now, policy) ? rotate(after, now) : after
}

function isDue(
  head: KeyRecord | undefined,
  now: number,
  { keyRotationAge, algorithm }: Policy,
): boolean {
  if (!head) return false
  if (algorithm !== undefined && head.algorithm !== algorithm) return true
  return keyRotationAge !== undefined && now >= (head.signsFrom ?? now) + keyRotationAge
}

/** Something has to sign: what was about to, or else what stands by. */
function signNow(keys: Keys, now: number): Keys {
  if (keys.some((key) => stateOf(key, now) === 'current')) return keys
  const following =
    lineOf(keys, now).find((key) => stateOf(key, now) === 'next') ?? standbyOf(keys, now)
  return change(keys, following, { signsFrom: now })
}

/** One is gone from the line: who was to be relieved by it signs until the one after it does. */
function relink(keys: Keys, now: number): Keys {
  const line = lineOf(keys, now)
  return line.reduce<Keys>((linked, key, index) => {
    const at = line[index + 1]?.signsFrom ?? null
    if (stateOf(key, now) === 'retired' || key.retiredAt === at) return linked
    return change(
      linked,
      key,
      at === null ? { retiredAt: null, expiresAt: null } : retirement(key, at),
    )
  }, keys)
}

/** All that sign, have signed or are going to, in that order. */
function lineOf(keys: Keys, now: number): KeyRecord[] {
  const line = keys.filter((key) => key.signsFrom !== null && stateOf(key, now) !== 'gone')
  return line.sort((a, b) => (a.signsFrom ?? 0) - (b.signsFrom ?? 0))
}

const EMPTIED = { sealed: null, jwk: null }

function bury(key: KeyRecord, now: number): KeyRecord {
  return key.sealed !== null && stateOf(key, now) === 'gone' ? { ...key, ...EMPTIED } : key
}

/** A node may have been given a longer life for the tokens that a key goes on signing. */
function prolong(key: KeyRecord, now: number, tokenLife: number): KeyRecord {
  const signs = ['next', 'current'].includes(stateOf(key, now))
  if (!signs || key.tokenLife >= tokenLife) return key
  const longer = { ...key, tokenLife }
  return key.retiredAt === null ? longer : { ...longer, ...retirement(longer, key.retiredAt) }
}

function retirement(key: KeyRecord | undefined, at: number): Partial<KeyRecord> {
  return { retiredAt: at, expiresAt: at + (key?.tokenLife ?? 0) + LEEWAY }
}

function change(keys: Keys, key: KeyRecord | undefined, changes: Partial<KeyRecord>): Keys {
  return key ? keys.map((other) => (other === key ? { ...key, ...changes } : other)) : keys
}
