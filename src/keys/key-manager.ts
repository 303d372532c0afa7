import type { Log } from '../common/log.ts'
import { unavailable } from '../errors.ts'
import type { Envelope } from './envelope.ts'
import type { Jwt } from './jwt.ts'
import { createUpkeep, type KeyPolicy, openRecord } from './key-maintenance.ts'
import type { KeyMaterial } from './key-material.ts'
import { type KeyRecord, PURPOSES, type Purpose, stateOf } from './key-record.ts'
import type { KeyRecords, Snapshot } from './key-records.ts'
import { createKeyRing, keyIdOf } from './key-ring.ts'
import { LEAD } from './lifecycle.ts'

export interface KeyKeeperOptions {
  records: KeyRecords
  envelope: Envelope
  policy: KeyPolicy
  /** The keys of the configuration, which begin the line. */
  given: Record<Purpose, KeyMaterial>
  createJwt: (material: KeyMaterial) => Promise<Jwt>
  /** Milliseconds between two looks at the table. */
  interval: number
  log: Log
  /** Milliseconds that only ever go forward. */
  monotonic?: () => number
}

/** Milliseconds between two looks while Postgres is away, at the most. */
const LONGEST_INTERVAL = 5_000
/** Milliseconds between two looks because of tokens that name a key unknown here: anybody can make such a token. */
const LEARN_INTERVAL = 1_000
/** Requests that wait for such a look at once. */
const MOST_WAITING = 1_000
/** The two forms of a key's id; a token that names anything else is not worth a look. */
const KEY_ID = /^([\w-]{22}|[\w-]{43})$/

export type KeyKeeper = ReturnType<typeof createKeyKeeper>

/**
 * Keeps this node's keys as the table has them. It looks every second, and what it knows goes on working while Postgres is
 * away. The time of Postgres is that of the last look plus what has passed since, so that no node's clock decides
 * which key signs.
 */
export function createKeyKeeper(options: KeyKeeperOptions) {
  const { records, envelope, given, createJwt, interval, log } = options
  const monotonic = options.monotonic ?? (() => performance.now())
  const attend = createUpkeep(options)

  let anchor = { now: 0, at: 0 }
  const now = () => anchor.now + (monotonic() - anchor.at)
  const rings = {
    access: createKeyRing({ now }),
    refresh: createKeyRing({ now, nameless: given.refresh.kid }),
  }
  /** Retired at once. They do not come back, whatever order the news of them comes in. */
  const revoked = new Set<string>()
  const unreadable = new Set<string>()
  let onRevoked = (_kids: string[]) => {}

  let looking: Promise<void> | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let waiting = 0
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let stopped = false

  function drop(kid: string): boolean {
    if (revoked.has(kid)) return false
    revoked.add(kid)
    for (const purpose of PURPOSES) rings[purpose].drop(kid)
    log.warn({ event: 'key_revoked', kid }, 'a key was retired at once: what it signed is refused')
    return true
  }

  async function open(record: KeyRecord): Promise<Jwt | undefined> {
    const known = rings[record.purpose].get(record.kid)
    if (known) return known.jwt
    try {
      return await createJwt(openRecord(envelope, record))
    } catch {
      const facts = { event: 'key_unreadable', kid: record.kid }
      if (!unreadable.has(record.kid)) log.warn(facts, 'KEY_ENCRYPTION_SECRET does not open a key')
      unreadable.add(record.kid)
      return undefined
    }
  }

  async function take({ keys, now: time }: Snapshot): Promise<void> {
    if (time > 0) anchor = { now: time, at: monotonic() }
    const news = keys.filter(({ kid, revokedAt }) => revokedAt !== null && drop(kid))
    if (news.length > 0) onRevoked(news.map(({ kid }) => kid))
    for (const purpose of PURPOSES) {
      const alive = keys.filter((key) => key.purpose === purpose && stateOf(key, time) !== 'gone')
      const held = await Promise.all(
        alive.map(async (record) => ({ record, jwt: await open(record) })),
      )
      // Looked at last: one may have been dropped while others were opened.
      const usable = held.flatMap(({ record, jwt }) =>
        jwt && !revoked.has(record.kid) ? [{ record, jwt }] : [],
      )
      rings[purpose].fill(usable, time)
    }
  }

  function look(): Promise<void> {
    looking ??= (async () => {
      const seen = await records.read()
      await take(seen)
      const changed = await attend(seen)
      if (changed) await take(changed)
    })().finally(() => {
      looking = undefined
    })
    return looking
  }

  /** Look once whether the key that a token names has come to be. */
  async function learn(token: string): Promise<boolean> {
    const kid = namedKey(token)
    const known = () => kid !== undefined && PURPOSES.some((purpose) => rings[purpose].get(kid))
    if (kid === undefined || known() || revoked.has(kid) || waiting >= MOST_WAITING) return false
    if (failures > 0) throw unavailable('the table of keys')
    if (!looking) {
      if (monotonic() - askedAt < LEARN_INTERVAL) return false
      askedAt = monotonic()
    }
    waiting++
    try {
      await look()
      return known()
    } catch (error) {
      throw unavailable('the table of keys', error)
    } finally {
      waiting--
    }
  }

  /**
   * A change is decided `LEAD` before it comes: what was seen less than that ago says which key signs now. A node that was
   * stopped, or short of time, looks first, so that a successor that is delivered twice is signed with one key.
   */
  function prepare(): Promise<void> | undefined {
    if (now() - anchor.now < LEAD || failures > 0) return undefined
    return look().catch(() => {})
  }

  async function watch(): Promise<void> {
    try {
      await look()
      if (failures > 0) log.info({ event: 'keys_resumed' }, 'following the keys again')
      failures = 0
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      if (failures++ === 0)
        log.warn({ event: 'keys_interrupted', reason }, 'cannot follow the keys')
    }
    const pause = Math.min(
      interval * 2 ** Math.min(failures, 10),
      Math.max(interval, LONGEST_INTERVAL),
    )
    if (!stopped) timer = setTimeout(watch, pause).unref()
  }

  return {
    access: { ...rings.access.jwt, learn } satisfies Jwt,
    refresh: { ...rings.refresh.jwt, learn, prepare } satisfies Jwt,
    keySet: rings.access.keySet,
    /** Another number whenever an access key has gone. */
    accessVersion: rings.access.version,

    /** Resolves once this node can sign and verify. Rejects where the keys in the table cannot be read. */
    async start(): Promise<void> {
      const seen = await records.readAll()
      await take((await attend(seen, true)) ?? seen)
      if (unreadable.size > 0)
        throw new Error(
          'KEY_ENCRYPTION_SECRET is not the one that the keys in the database are encrypted under',
        )
      for (const { kid, purpose } of Object.values(given)) {
        const facts = { event: 'key_not_used', purpose }
        if (!rings[purpose].get(kid))
          log.info(facts, 'keys come from the database, not from the configuration')
      }
      timer = setTimeout(watch, interval).unref()
    },

    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await looking?.catch(() => {})
    },

    /** Look at the table, for what has just changed there. */
    look,

    /** Heard from another node: refuse at once what this key signed, and see which one signs in its place. */
    drop(kid: string): void {
      if (drop(kid)) look().catch(() => {})
    },

    /** Keys that were retired at once, for nodes that cannot read the table. */
    revoked: (): string[] => [...revoked],

    /** Tells of those that this node has just read of. */
    onRevoked(listener: (kids: string[]) => void): void {
      onRevoked = listener
    },
  }
}

function namedKey(token: string): string | undefined {
  if (token.length > 4_096) return undefined
  try {
    const kid = keyIdOf(token)
    return typeof kid === 'string' && KEY_ID.test(kid) ? kid : undefined
  } catch {
    return undefined
  }
}
