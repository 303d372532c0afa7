import { createHash } from 'node:crypto'
import { unavailable } from '../errors.ts'
import { type JwtCodec, readKeyId } from './jwt.ts'
import { type KeyRecord, stateOf } from './key-record.ts'

export interface RingKey {
  record: KeyRecord
  jwt: JwtCodec
}

export interface KeySet {
  /** JSON Web Keys (RFC 7517). */
  keys: Record<string, string>[]
  /** RFC 9110 8.8.3. */
  etag: string
}

export interface KeyRingOptions {
  /** Returns the time of Postgres in milliseconds, as far as this node knows it. */
  now: () => number
  /** The id of the key for tokens without `kid`, which an earlier version of Pawl signed. */
  defaultKeyId?: string | undefined
}

/**
 * Creates the collection of keys of one purpose that this node knows. A token is verified with the
 * key that its header names, in memory alone. A token is signed with the current key.
 */
export function createKeyRing({ now, defaultKeyId }: KeyRingOptions) {
  let keys = new Map<string, RingKey>()
  /** Keys that sign, have signed or are due to sign, in the order in which they sign. */
  let signers: RingKey[] = []
  let standby: RingKey | undefined
  let keySet: KeySet = toKeySet([])
  let version = 0
  /** Keys by encoded JWT header, so that a known header is not decoded again. */
  let byHeader = new Map<string, RingKey>()

  function replaceKeys(ringKeys: readonly RingKey[], at: number): void {
    const remains = (kid: string) => ringKeys.some(({ record }) => record.kid === kid)
    if (![...keys.keys()].every(remains)) version++
    keys = new Map(ringKeys.map((key) => [key.record.kid, key]))
    byHeader = new Map()
    signers = ringKeys
      .filter(({ record }) => record.signsFrom !== null)
      .sort((a, b) => (a.record.signsFrom ?? 0) - (b.record.signsFrom ?? 0))
    standby = ringKeys.find(({ record }) => record.signsFrom === null)
    keySet = toKeySet(currentFirst(ringKeys, at))
  }

  /**
   * Returns the key that signs at that time. If it is no longer there, the next one after it signs,
   * so that every node that signs the same token again chooses the same key.
   */
  function signerAt(time: number): RingKey {
    const key =
      signers.findLast(({ record }) => signingStateAt(record, time) === 'current') ??
      signers.find(({ record }) => signingStateAt(record, time) === 'next') ??
      standby ??
      signers.at(-1)
    if (!key) throw unavailable('a signing key')
    return key
  }

  function findKeyOf(token: string): RingKey | undefined {
    const kid = readKeyId(token) ?? defaultKeyId
    return typeof kid === 'string' ? keys.get(kid) : undefined
  }

  const jwt: JwtCodec = {
    sign: (claims, at = now()) => signerAt(at).jwt.sign(claims),

    verify(token) {
      const header = token.slice(0, token.indexOf('.'))
      const key = byHeader.get(header) ?? findKeyOf(token)
      if (!key) throw new Error('unknown key')
      const claims = key.jwt.verify(token)
      byHeader.set(header, key)
      return claims
    },
  }

  return {
    jwt,
    replaceKeys,

    get: (kid: string): RingKey | undefined => keys.get(kid),

    /**
     * Returns a number that changes whenever a key is removed. Verification results from before
     * the change must not be reused.
     */
    version: () => version,

    /** Returns the longest life of a token that one of the keys signs or has signed, in ms. */
    longestTokenLife: () => Math.max(0, ...[...keys.values()].map((key) => key.record.tokenLife)),

    /** Removes a key: its tokens are refused from now on. */
    remove(kid: string): void {
      if (!keys.has(kid)) return
      const remaining = [...keys.values()].filter(({ record }) => record.kid !== kid)
      replaceKeys(remaining, now())
    },

    /** Returns the key set that is published. */
    keySet: (): KeySet => keySet,
  }
}

/**
 * Puts the current key first, for consumers of the key set that only read its first entry. If this
 * node takes the time to be a little earlier than it is, no key is current yet, and the one that is
 * due to sign comes first.
 */
function currentFirst(ringKeys: readonly RingKey[], at: number): RingKey[] {
  const rankOf = ({ record }: RingKey) => {
    if (stateOf(record, at) === 'current') return 2
    return Number(record.signsFrom !== null && record.retiredAt === null)
  }
  return ringKeys.toSorted((a, b) => rankOf(b) - rankOf(a))
}

/** Returns the state by the signing times alone: the time may be in the past of an expired key. */
function signingStateAt(
  { signsFrom, retiredAt }: KeyRecord,
  time: number,
): 'next' | 'current' | 'retired' {
  if (signsFrom === null || time < signsFrom) return 'next'
  return retiredAt === null || time < retiredAt ? 'current' : 'retired'
}

function toKeySet(ringKeys: readonly RingKey[]): KeySet {
  const keys = ringKeys.flatMap(({ record }) => (record.jwk ? [record.jwk] : []))
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url')
  return { keys, etag: `"${digest.slice(0, 22)}"` }
}
