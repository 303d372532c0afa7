import { createHash } from 'node:crypto'
import { unavailable } from '../errors.ts'
import type { Jwt } from './jwt.ts'
import { type KeyRecord, stateOf } from './key-record.ts'

export interface RingKey {
  record: KeyRecord
  jwt: Jwt
}

export interface KeySet {
  /** RFC 7517. */
  keys: Record<string, string>[]
  /** RFC 9110 8.8.3. */
  etag: string
}

export interface KeyRingOptions {
  /** The time of Postgres, as far as this node knows it. Milliseconds. */
  now: () => number
  /** The key of tokens that name none: an earlier version signed them. */
  nameless?: string | undefined
}

export type KeyRing = ReturnType<typeof createKeyRing>

/**
 * The keys of one purpose that this node knows. A token is verified with the key that its header names, if it is one of
 * them, without a look anywhere else; tokens are signed with the key whose time it is.
 */
export function createKeyRing({ now, nameless }: KeyRingOptions) {
  let keys = new Map<string, RingKey>()
  /** Those that sign, have signed or are going to, in that order. */
  let line: RingKey[] = []
  let standby: RingKey | undefined
  let keySet: KeySet = publish([])
  let version = 0
  /** By the header of tokens that it has verified, as it stands in them: that saves a look into it. */
  let byHeader = new Map<string, RingKey>()

  function fill(held: readonly RingKey[], at: number): void {
    const isHeld = (kid: string) => held.some(({ record }) => record.kid === kid)
    if (![...keys.keys()].every(isHeld)) version++
    keys = new Map(held.map((key) => [key.record.kid, key]))
    byHeader = new Map()
    const dated = held.filter(({ record }) => record.signsFrom !== null)
    line = dated.sort((a, b) => (a.record.signsFrom ?? 0) - (b.record.signsFrom ?? 0))
    standby = held.find(({ record }) => record.signsFrom === null)
    keySet = publish(inOrder(held, at))
  }

  /** Where the key of that time is no more, the one after it: whoever has to sign again comes to the same one. */
  function signerAt(time: number): RingKey {
    const key =
      line.findLast(({ record }) => stateAt(record, time) === 'current') ??
      line.find(({ record }) => stateAt(record, time) === 'next') ??
      standby ??
      line.at(-1)
    if (!key) throw unavailable('a key to sign with')
    return key
  }

  const jwt: Jwt = {
    sign: (claims, at = now()) => signerAt(at).jwt.sign(claims),

    verify(token) {
      const header = token.slice(0, token.indexOf('.'))
      const key = byHeader.get(header) ?? keys.get(keyIdOf(token) ?? nameless ?? '')
      if (!key) throw new Error('unknown key')
      const claims = key.jwt.verify(token)
      byHeader.set(header, key)
      return claims
    },
  }

  return {
    jwt,
    fill,

    get: (kid: string): RingKey | undefined => keys.get(kid),

    /** Another number when a key has gone: what it signed and was verified is to be verified again. */
    version: () => version,

    /** From now on what it signed is refused. */
    drop(kid: string): void {
      if (keys.has(kid))
        fill(
          [...keys.values()].filter(({ record }) => record.kid !== kid),
          now(),
        )
    },

    keySet: (): KeySet => keySet,
  }
}

/** The `kid` of a token's header, of whatever form; undefined where it has none. Throws where that is no header. */
export function keyIdOf(token: string): string | undefined {
  const header = JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString())
  return header.kid
}

/** The one that signs comes first, for consumers that look no further. */
function inOrder(held: readonly RingKey[], at: number): RingKey[] {
  const isCurrent = ({ record }: RingKey) => Number(stateOf(record, at) === 'current')
  return held.toSorted((a, b) => isCurrent(b) - isCurrent(a))
}

/** Of a key in the line; whether it still verifies does not matter for what it signed at its time. */
function stateAt(
  { signsFrom, retiredAt }: KeyRecord,
  time: number,
): 'next' | 'current' | 'retired' {
  if (signsFrom === null || time < signsFrom) return 'next'
  return retiredAt === null || time < retiredAt ? 'current' : 'retired'
}

function publish(held: readonly RingKey[]): KeySet {
  const keys = held.flatMap(({ record }) => (record.jwk ? [record.jwk] : []))
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url')
  return { keys, etag: `"${digest.slice(0, 22)}"` }
}
