import type { Log } from '../common/log.ts'
import type { Envelope } from './envelope.ts'
import { importKey, type KeyMaterial, makeKey } from './key-material.ts'
import { type KeyRecord, PURPOSES, type Purpose, stateOf } from './key-record.ts'
import { eachPurpose, type KeyRecords, type Snapshot } from './key-records.ts'
import { headOf, LEAD, maintain, type Policy, standbyOf } from './lifecycle.ts'
import type { SigningAlgorithm } from './signing-key.ts'

export interface KeyPolicy {
  /** Of access tokens. */
  algorithm: SigningAlgorithm
  /** Milliseconds that a key signs; undefined, until somebody rotates it. */
  keyRotationAge: number | undefined
  /** Milliseconds that an access key is published before it signs. */
  keyPublicationDelay: number
  /** Milliseconds for which a token may matter: an access token until it expires, a refresh token while its session may live. */
  tokenLife: Record<Purpose, number>
}

export interface UpkeepOptions {
  records: Pick<KeyRecords, 'change'>
  envelope: Envelope
  policy: KeyPolicy
  /** The keys of the configuration, which begin the line. */
  given: Record<Purpose, KeyMaterial>
  log: Log
}

export type Upkeep = ReturnType<typeof createUpkeep>

/** Sees to it that the table always holds keys that sign and keys that stand by. Every node does; the lock has one do it. */
export function createUpkeep({ records, envelope, policy, given, log }: UpkeepOptions) {
  function toRecord(material: KeyMaterial, now: number, signsFrom: number | null): KeyRecord {
    const { kid, purpose, algorithm, jwk, secret } = material
    // Refresh keys are seen by the nodes alone.
    const delay = purpose === 'access' ? policy.keyPublicationDelay : LEAD
    return {
      kid,
      purpose,
      algorithm,
      jwk,
      sealed: envelope.seal(secret, contextOf(material)),
      tokenLife: policy.tokenLife[purpose],
      createdAt: now,
      readyAt: signsFrom ?? now + delay,
      signsFrom,
      retiredAt: null,
      expiresAt: null,
      revokedAt: null,
    }
  }

  function rulesOf(purpose: Purpose, starting: boolean): Policy {
    const { keyRotationAge, tokenLife } = policy
    const algorithm = starting && purpose === 'access' ? policy.algorithm : undefined
    return { keyRotationAge, tokenLife: tokenLife[purpose], algorithm }
  }

  function decide(
    keys: readonly KeyRecord[],
    now: number,
    starting: boolean,
    spares: Map<Purpose, KeyMaterial>,
  ) {
    return eachPurpose(keys, (own, purpose) => {
      const held = own.length === 0 ? [toRecord(given[purpose], now, now)] : own
      const spare = spares.get(purpose)
      const isNew = spare && !held.some(({ kid }) => kid === spare.kid)
      return maintain(
        held,
        now,
        rulesOf(purpose, starting),
        isNew ? toRecord(spare, now, null) : undefined,
      )
    })
  }

  async function makeSpare(purpose: Purpose, own: KeyRecord[], now: number): Promise<KeyMaterial> {
    const material = given[purpose]
    const isNew = own.length > 0 && !own.some(({ kid }) => kid === material.kid)
    // Who changes the algorithm has to give a key for it.
    if (isNew && headOf(own, now)?.algorithm !== material.algorithm) return material
    return makeKey(purpose, policy.algorithm)
  }

  /**
   * Do what is due, if anything is; answers what the table then holds, or undefined where nothing has changed. `starting`:
   * the keys of the configuration and its algorithm count, too, and `seen` is all of the table.
   */
  async function attend(seen: Snapshot, starting = false): Promise<Snapshot | undefined> {
    const expected = decide(seen.keys, seen.now, starting, new Map())
    const spares = new Map<Purpose, KeyMaterial>()
    for (const purpose of PURPOSES) {
      const own = expected.filter((key) => key.purpose === purpose)
      if (!standbyOf(own, seen.now)) spares.set(purpose, await makeSpare(purpose, own, seen.now))
    }
    if (spares.size === 0 && expected.every((key) => seen.keys.includes(key))) return undefined
    let changed: KeyRecord[] = []
    const after = await records.change((keys, now) => {
      const decided = decide(keys, now, starting, spares)
      changed = decided.filter((key) => !keys.includes(key))
      return decided
    })
    for (const { kid, purpose, ...times } of changed)
      log.info(
        {
          event: 'key_changed',
          kid,
          purpose,
          state: stateOf({ kid, purpose, ...times }, after.now),
        },
        'a signing key has changed',
      )
    return after
  }

  return attend
}

/** The key itself. Throws where the envelope was not closed with this secret, or not around this key. */
export function openRecord(envelope: Envelope, record: KeyRecord): KeyMaterial {
  const { purpose, algorithm, sealed } = record
  return importKey(purpose, algorithm, envelope.open(sealed ?? '', contextOf(record)))
}

function contextOf({ purpose, kid }: Pick<KeyRecord, 'purpose' | 'kid'>): string {
  return `${purpose}:${kid}`
}
