/**
 * The life of the keys of one purpose, as pure functions from the rows of the table to the rows
 * that it should hold: next (published, not yet signing), current, retired (verifies until its
 * last token has expired), expired. A key that does not change is the same object in the result.
 */
import { type KeyRecord, stateOf } from './key-record.ts'

/**
 * Milliseconds between the decision that a key signs and the moment from which it signs. This is
 * several times as long as the nodes need to read the decision, so that all of them change over at
 * the same moment.
 */
export const ROTATION_LEAD = 3_000
/**
 * Milliseconds for which a key verifies beyond the life of its last token. It allows for clocks
 * that differ, and for nodes that are late to read a change.
 */
export const EXPIRY_LEEWAY = 60_000

export interface RotationPolicy {
  /** Milliseconds for which a key signs; undefined to rotate by command only. */
  keyRotationAge: number | undefined
  /** Milliseconds for which a token of this purpose may matter. */
  tokenLife: number
  /**
   * The algorithm that keys should have. If undefined, keys of any algorithm stay: nodes with
   * different configurations would otherwise keep undoing each other's rotations.
   */
  algorithm: string | undefined
}

type Keys = readonly KeyRecord[]

/** Returns the key that signs last: one that is due to sign, or else the current key. */
export function lastSignerOf(keys: Keys, now: number): KeyRecord | undefined {
  return signersOf(keys, now).findLast(({ retiredAt }) => retiredAt === null)
}

/** Returns the next key, if no date for it to sign is set yet. */
export function standbyOf(keys: Keys, now: number): KeyRecord | undefined {
  return keys.find((key) => key.signsFrom === null && stateOf(key, now) === 'next')
}

/**
 * Sets the time from which the standby key signs, as soon as every verifier knows the key, and
 * retires its predecessor at that time. Returns the keys unchanged if there is no standby key.
 */
export function rotate(keys: Keys, now: number): Keys {
  const standby = standbyOf(keys, now)
  const last = lastSignerOf(keys, now)
  if (!standby) return keys
  const at = Math.max(now + ROTATION_LEAD, standby.readyAt, (last?.signsFrom ?? 0) + 1)
  return update(update(keys, standby, { signsFrom: at }), last, retirement(last, at))
}

/**
 * Retires a key in the regular way. A key that signs is rotated. The standby key is erased at
 * once, because it has signed nothing. Any other key stays as it is.
 */
export function retire(keys: Keys, kid: string, now: number): Keys {
  const key = keys.find((other) => other.kid === kid)
  if (key && key === standbyOf(keys, now)) return update(keys, key, { expiresAt: now, ...ERASED })
  return key && key === lastSignerOf(keys, now) ? rotate(keys, now) : keys
}

/** Revokes a leaked key: its tokens are refused, and another key signs from this moment. */
export function revoke(keys: Keys, kid: string, now: number): Keys {
  const key = keys.find((other) => other.kid === kid)
  if (!key || key.revokedAt !== null) return keys
  const times = { retiredAt: key.retiredAt ?? now, expiresAt: now, revokedAt: now }
  return realignRetirements(ensureSigner(update(keys, key, { ...times, ...ERASED }), now), now)
}

/**
 * Applies everything that is due: expired keys lose their private halves, there is a current key
 * and a standby key, and a key that has signed for long enough is rotated. `newKey` becomes the
 * standby key if there is none.
 */
export function maintain(
  keys: Keys,
  now: number,
  policy: RotationPolicy,
  newKey?: KeyRecord,
): Keys {
  let after = keys.map((key) => erasePrivateKey(extendTokenLife(key, now, policy.tokenLife), now))
  const standby = standbyOf(after, now)
  if (standby && policy.algorithm !== undefined && standby.algorithm !== policy.algorithm)
    after = [...update(after, standby, { expiresAt: now, ...ERASED })]
  if (newKey && !standbyOf(after, now)) after.push(newKey)
  after = [...ensureSigner(after, now)]
  return isDue(lastSignerOf(after, now), now, policy) ? rotate(after, now) : after
}

function isDue(
  last: KeyRecord | undefined,
  now: number,
  { keyRotationAge, algorithm }: RotationPolicy,
): boolean {
  if (!last) return false
  if (algorithm !== undefined && last.algorithm !== algorithm) return true
  return keyRotationAge !== undefined && now >= (last.signsFrom ?? now) + keyRotationAge
}

/** Lets a key sign now if none does: the one that is due next, or else the standby key. */
function ensureSigner(keys: Keys, now: number): Keys {
  if (keys.some((key) => stateOf(key, now) === 'current')) return keys
  const following =
    signersOf(keys, now).find((key) => stateOf(key, now) === 'next') ?? standbyOf(keys, now)
  return update(keys, following, { signsFrom: now })
}

/**
 * Closes the gap that a revoked key leaves: its predecessor signs until the successor does, or
 * without an end if there is no successor.
 */
function realignRetirements(keys: Keys, now: number): Keys {
  const signers = signersOf(keys, now)
  return signers.reduce<Keys>((realigned, key, index) => {
    const at = signers[index + 1]?.signsFrom ?? null
    if (stateOf(key, now) === 'retired' || key.retiredAt === at) return realigned
    const times = at === null ? { retiredAt: null, expiresAt: null } : retirement(key, at)
    return update(realigned, key, times)
  }, keys)
}

/** Returns the keys that sign, have signed or are due to sign, in the order of signing. */
function signersOf(keys: Keys, now: number): KeyRecord[] {
  const signers = keys.filter((key) => key.signsFrom !== null && stateOf(key, now) !== 'gone')
  return signers.sort((a, b) => (a.signsFrom ?? 0) - (b.signsFrom ?? 0))
}

const ERASED = { sealed: null, jwk: null }

/** Removes the key itself if it has expired. The row stays, so that its id is never reused. */
function erasePrivateKey(key: KeyRecord, now: number): KeyRecord {
  return key.sealed !== null && stateOf(key, now) === 'gone' ? { ...key, ...ERASED } : key
}

/** Raises the token life of a key that still signs, if the configuration now has a longer one. */
function extendTokenLife(key: KeyRecord, now: number, tokenLife: number): KeyRecord {
  const signs = ['next', 'current'].includes(stateOf(key, now))
  if (!signs || key.tokenLife >= tokenLife) return key
  const extended = { ...key, tokenLife }
  return key.retiredAt === null ? extended : { ...extended, ...retirement(extended, key.retiredAt) }
}

function retirement(key: KeyRecord | undefined, at: number): Partial<KeyRecord> {
  return { retiredAt: at, expiresAt: at + (key?.tokenLife ?? 0) + EXPIRY_LEEWAY }
}

function update(keys: Keys, key: KeyRecord | undefined, changes: Partial<KeyRecord>): Keys {
  return key ? keys.map((other) => (other === key ? { ...key, ...changes } : other)) : keys
}
