import { backoffDelay } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { singleFlight } from '../common/single-flight.ts'
import { createWorker } from '../common/worker.ts'
import type { Envelope } from './envelope.ts'
import type { JwtCodec } from './jwt.ts'
import { createKeyMaintenance, decryptKey, type KeyPolicy } from './key-maintenance.ts'
import type { KeyMaterial } from './key-material.ts'
import { type KeyRecord, PURPOSES, type Purpose, stateOf } from './key-record.ts'
import type { KeyRecords, Snapshot } from './key-records.ts'
import { createKeyRing } from './key-ring.ts'
import { ROTATION_LEAD } from './lifecycle.ts'
import { createUnknownKeyLoader } from './unknown-key-loader.ts'

export interface KeyManagerOptions {
  records: KeyRecords
  envelope: Envelope
  policy: KeyPolicy
  /** The keys of the configuration. They become the first keys of an empty table. */
  configuredKeys: Record<Purpose, KeyMaterial>
  createJwt: (material: KeyMaterial) => JwtCodec
  /** Milliseconds between two reads of the table. */
  interval: number
  log: Log
  /** Returns milliseconds that only ever increase. */
  monotonic?: () => number
}

/** The longest time between two reads while Postgres is unavailable, in milliseconds. */
const LONGEST_RETRY_DELAY = 5_000

export type KeyManager = ReturnType<typeof createKeyManager>

/**
 * Creates the manager that keeps this node's keys equal to the table. It polls the table, and the
 * keys that it knows stay in use while Postgres is unavailable. Its time is that of Postgres at the
 * last read plus the monotonic time since, so that no node's own clock decides which key signs.
 */
export function createKeyManager(options: KeyManagerOptions) {
  const { records, envelope, configuredKeys, createJwt, interval, log } = options
  const monotonic = options.monotonic ?? (() => performance.now())
  const maintenance = createKeyMaintenance(options)

  let lastRead = { postgresTime: 0, at: 0 }
  const now = () => lastRead.postgresTime + (monotonic() - lastRead.at)
  const rings = {
    access: createKeyRing({ now }),
    refresh: createKeyRing({ now, defaultKeyId: configuredKeys.refresh.kid }),
  }
  const isKnown = (kid: string) => PURPOSES.some((purpose) => rings[purpose].get(kid) !== undefined)
  /** Revoked keys do not come back, whatever older rows of the table are read later. */
  const revoked = new Set<string>()
  const unreadable = new Set<string>()
  let onRevoked = (_kids: string[]) => {}
  let failures = 0

  /** Returns false if the key was known to be revoked. */
  function rememberRevoked(kid: string): boolean {
    if (revoked.has(kid)) return false
    revoked.add(kid)
    for (const purpose of PURPOSES) rings[purpose].remove(kid)
    log.warn({ event: 'key_revoked', kid }, 'a signing key is revoked: its tokens are refused')
    return true
  }

  function openKey(record: KeyRecord): JwtCodec | undefined {
    const known = rings[record.purpose].get(record.kid)
    if (known) return known.jwt
    try {
      return createJwt(decryptKey(envelope, record))
    } catch {
      const facts = { event: 'key_unreadable', kid: record.kid }
      if (!unreadable.has(record.kid))
        log.warn(facts, 'KEY_ENCRYPTION_SECRET does not decrypt a signing key')
      unreadable.add(record.kid)
      return undefined
    }
  }

  function applySnapshot({ keys, now: postgresTime }: Snapshot): void {
    if (postgresTime > 0) lastRead = { postgresTime, at: monotonic() }
    const newlyRevoked = keys.filter((key) => key.revokedAt !== null && rememberRevoked(key.kid))
    if (newlyRevoked.length > 0) onRevoked(newlyRevoked.map(({ kid }) => kid))
    for (const purpose of PURPOSES) {
      const usable = keys.filter(
        (key) =>
          key.purpose === purpose && stateOf(key, postgresTime) !== 'gone' && !revoked.has(key.kid),
      )
      const ringKeys = usable.flatMap((record) => {
        const jwt = openKey(record)
        return jwt ? [{ record, jwt }] : []
      })
      rings[purpose].replaceKeys(ringKeys, postgresTime)
    }
  }

  const refreshKeys = singleFlight(async () => {
    const snapshot = await records.read()
    applySnapshot(snapshot)
    const changed = await maintenance.run(snapshot)
    if (changed) applySnapshot(changed)
  })

  const loadKeyOf = createUnknownKeyLoader({
    refreshKeys,
    isKnown,
    isRevoked: (kid) => revoked.has(kid),
    isInterrupted: () => failures > 0,
    monotonic,
  })

  /**
   * A rotation is decided `ROTATION_LEAD` ahead, so a read that is more recent than that says which
   * key signs now. A node that was suspended or starved of CPU reads first, so that a refresh token
   * that is delivered twice is signed with one key.
   */
  function refreshIfStale(): Promise<void> | undefined {
    if (monotonic() - lastRead.at < ROTATION_LEAD || failures > 0) return undefined
    return refreshKeys().catch(() => {})
  }

  const poller = createWorker({
    interval,
    async work() {
      try {
        await refreshKeys()
        if (failures > 0) log.info({ event: 'keys_resumed' }, 'the signing keys can be read again')
        failures = 0
        return interval
      } catch (error) {
        const facts = { event: 'keys_interrupted', reason: errorText(error) }
        if (failures++ === 0) log.warn(facts, 'the signing keys cannot be read')
        const longest = Math.max(interval, LONGEST_RETRY_DELAY)
        return backoffDelay(failures, { first: 2 * interval, longest })
      }
    },
  })

  return {
    access: { ...rings.access.jwt, loadKeyOf } satisfies JwtCodec,
    refresh: { ...rings.refresh.jwt, loadKeyOf, refreshIfStale } satisfies JwtCodec,
    keySet: rings.access.keySet,
    /** Returns a number that changes whenever an access key is removed. */
    accessVersion: rings.access.version,

    /** Returns the longest life of a token that a known access key has signed, in milliseconds. */
    longestTokenLife: rings.access.longestTokenLife,

    /**
     * Resolves once this node can sign and verify. Rejects if the keys in the table cannot be
     * decrypted.
     */
    async start(): Promise<void> {
      const snapshot = await records.readAll()
      applySnapshot((await maintenance.run(snapshot, true)) ?? snapshot)
      if (unreadable.size > 0)
        throw new Error(
          'KEY_ENCRYPTION_SECRET is not the one that encrypts the keys in the database',
        )
      for (const { kid, purpose } of Object.values(configuredKeys)) {
        const facts = { event: 'key_not_used', purpose }
        if (!rings[purpose].get(kid))
          log.info(facts, 'the configured key is not used: the database has other keys')
      }
      poller.start()
    },

    async stop(): Promise<void> {
      await poller.stop()
      await refreshKeys.inFlight()?.catch(() => {})
    },

    /** Reads the table now. Rejects if that fails. */
    refreshKeys,

    /** Refuses the tokens of a key that another node announced as revoked. */
    markRevoked(kid: string): void {
      // The read finds out which key signs in its place.
      if (rememberRevoked(kid)) refreshKeys().catch(() => {})
    },

    /** Returns the ids of revoked keys, for nodes that cannot read the table. */
    revokedKeyIds: (): string[] => [...revoked],

    /** Calls the listener with the ids of keys that this node finds revoked in the table. */
    onRevoked(listener: (kids: string[]) => void): void {
      onRevoked = listener
    },
  }
}
