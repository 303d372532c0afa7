import type { Log } from '../common/log.ts'
import type { Envelope } from './envelope.ts'
import { generateKey, importKey, type KeyMaterial } from './key-material.ts'
import { type KeyRecord, PURPOSES, type Purpose, stateOf } from './key-record.ts'
import { eachPurpose, type KeyRecords, type Snapshot } from './key-records.ts'
import {
  lastSignerOf,
  maintain,
  ROTATION_LEAD,
  type RotationPolicy,
  standbyOf,
} from './lifecycle.ts'
import type { SigningAlgorithm } from './signing-key.ts'

export interface KeyPolicy {
  /** The algorithm of access tokens. */
  accessTokenAlg: SigningAlgorithm
  /** Milliseconds for which a key signs; undefined to rotate by command only. */
  keyRotationAge: number | undefined
  /** Milliseconds for which an access key is published before it signs. */
  keyPublicationDelay: number
  /**
   * Milliseconds for which a token may matter: an access token until it expires, a refresh token
   * for as long as its session may live.
   */
  tokenLife: Record<Purpose, number>
}

export interface KeyMaintenanceOptions {
  records: Pick<KeyRecords, 'change'>
  envelope: Envelope
  policy: KeyPolicy
  /** The keys of the configuration. They become the first keys of an empty table. */
  configuredKeys: Record<Purpose, KeyMaterial>
  log: Log
}

/**
 * Creates the maintenance of the table, which always holds a current key and a standby key for
 * each purpose. Every node runs it; a database lock lets one node at a time change the table.
 */
export function createKeyMaintenance(options: KeyMaintenanceOptions) {
  const { records, envelope, policy, configuredKeys, log } = options

  function toRecord(material: KeyMaterial, now: number, signsFrom: number | null): KeyRecord {
    const { kid, purpose, algorithm, jwk, secret } = material
    // Only the nodes themselves need to know a refresh key before it signs.
    const delay = purpose === 'access' ? policy.keyPublicationDelay : ROTATION_LEAD
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

  function policyFor(purpose: Purpose, isStarting: boolean): RotationPolicy {
    const { keyRotationAge, tokenLife, accessTokenAlg } = policy
    const algorithm = isStarting && purpose === 'access' ? accessTokenAlg : undefined
    return { keyRotationAge, tokenLife: tokenLife[purpose], algorithm }
  }

  function decide(
    keys: readonly KeyRecord[],
    now: number,
    isStarting: boolean,
    newKeys: Map<Purpose, KeyMaterial>,
  ) {
    return eachPurpose(keys, (own, purpose) => {
      const existing = own.length === 0 ? [toRecord(configuredKeys[purpose], now, now)] : own
      const newKey = newKeys.get(purpose)
      const isNew = newKey && !existing.some(({ kid }) => kid === newKey.kid)
      const standby = isNew ? toRecord(newKey, now, null) : undefined
      return maintain(existing, now, policyFor(purpose, isStarting), standby)
    })
  }

  async function createStandby(
    purpose: Purpose,
    own: readonly KeyRecord[],
    now: number,
  ): Promise<KeyMaterial> {
    const configured = configuredKeys[purpose]
    const isNew = own.length > 0 && !own.some(({ kid }) => kid === configured.kid)
    // To change the algorithm, an operator configures a key for it. That key is the one to use.
    if (isNew && lastSignerOf(own, now)?.algorithm !== configured.algorithm) return configured
    return generateKey(purpose, policy.accessTokenAlg)
  }

  function logChanges(changed: readonly KeyRecord[], now: number): void {
    for (const key of changed) {
      const { kid, purpose } = key
      const facts = { event: 'key_changed', kid, purpose, state: stateOf(key, now) }
      log.info(facts, 'a signing key has changed')
    }
  }

  return {
    /**
     * Applies all changes of keys that are due, and stores them in the table. Returns the new
     * contents of the table, or undefined if nothing changed.
     *
     * With `isStarting` the configured keys and algorithm take effect. The snapshot must then
     * hold the whole table.
     */
    async run(snapshot: Snapshot, isStarting = false): Promise<Snapshot | undefined> {
      const expected = decide(snapshot.keys, snapshot.now, isStarting, new Map())
      const newKeys = new Map<Purpose, KeyMaterial>()
      for (const purpose of PURPOSES) {
        const own = expected.filter((key) => key.purpose === purpose)
        if (!standbyOf(own, snapshot.now))
          newKeys.set(purpose, await createStandby(purpose, own, snapshot.now))
      }
      const isUnchanged = expected.every((key) => snapshot.keys.includes(key))
      if (newKeys.size === 0 && isUnchanged) return undefined
      let changed: KeyRecord[] = []
      const after = await records.change((keys, now) => {
        const decided = decide(keys, now, isStarting, newKeys)
        changed = decided.filter((key) => !keys.includes(key))
        return decided
      })
      logChanges(changed, after.now)
      return after
    },
  }
}

/** Decrypts a key. Throws if it was encrypted with another secret, or for another row. */
export function decryptKey(envelope: Envelope, record: KeyRecord): KeyMaterial {
  const { purpose, algorithm, sealed } = record
  return importKey(purpose, algorithm, envelope.open(sealed ?? '', contextOf(record)))
}

/** Binds an encrypted key to its row, so that it cannot be copied into another one. */
function contextOf({ purpose, kid }: Pick<KeyRecord, 'purpose' | 'kid'>): string {
  return `${purpose}:${kid}`
}
