import { stringify } from 'uuid'
import { type SharedClock, watchClock } from '../common/clocks.ts'
import { unavailable } from '../errors.ts'
import { type AwaitReply, awaitReply as plainAwaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { createScript } from '../redis/script.ts'
import type { Era } from './redis-era.ts'
import {
  type CommandTerms,
  completeRequest,
  packRotationRequest,
  parsePackedSession,
  parseRotationReply,
  serverTimeOfRefusal,
} from './redis-wire.ts'
import { CONDEMNED } from './rotation.ts'
import { createServerClock, createServerClocks } from './server-clocks.ts'
import type { Authorization, RotationResult, SessionStore, StoreSettings } from './session-store.ts'
import { createSnapshotKeeper, type SnapshotKeeperOptions } from './snapshot-keeper.ts'

export interface RedisStoreOptions extends Omit<SnapshotKeeperOptions, 'replace'> {
  era: Pick<Era, 'current' | 'isKnown' | 'begin'>
  /** The time of the Redis server, as far as this node knows it. */
  serverClock: SharedClock
  /** Counts failures, if it is given. */
  awaitReply?: AwaitReply
  /** The beginning of every key. Several installations on one Redis have different ones. */
  prefix?: string
  /**
   * For tests: returns milliseconds since 1970. By default the scripts use the time of the
   * Redis server, so that nodes need not agree on theirs.
   */
  clock?: (() => number) | undefined
}

/**
 * Milliseconds after which a command that was delayed on its way has no effect. It is a little less
 * than the timeout of commands, so that nothing happens after its caller has given up.
 */
const COMMAND_DEADLINE = 900
/** Milliseconds after which Redis removes the key that proves that it accepts writes. */
const PROBE_LIFETIME = 60_000

type OpenReply = [number, number, number, string, ...string[]]

/**
 * Creates a store in Redis. It has one hash per user, so that every operation is one script on one
 * key, in a cluster too. Each session is a packed field of that hash. All methods reject with
 * `AUTH_UNAVAILABLE` if Redis does not reply.
 */
export function createRedisStore(
  redis: RedisClient,
  settings: StoreSettings,
  options: RedisStoreOptions,
): SessionStore {
  const { era, serverClock, prefix = 'pawl:', clock, awaitReply = plainAwaitReply } = options
  const { snapshots } = options
  const script = (name: string) =>
    createScript(redis, new URL(`./lua/${name}.lua`, import.meta.url))
  const open = script('open')
  const rotate = script('rotate')
  const close = script('close')
  const closeAll = script('close_all')
  const setAuthorization = script('set_authorization')
  const keyOf = (userId: string) => `${prefix}{${userId}}`
  const now = () => clock?.() ?? ''
  const testClock = clock && createServerClock(watchClock(clock), era)
  const clockOf = testClock ? () => testClock : createServerClocks(redis, serverClock, era)

  /**
   * Sends a command with the era and a deadline. If the clock of the server is not what this node
   * assumed, the server refuses the command, which is then sent once more with a new deadline. A
   * reply does not count if the server was not known all the time: it may have old data.
   */
  async function sendCommand<T>(
    key: string,
    send: (terms: CommandTerms) => Promise<T>,
  ): Promise<T> {
    const time = clockOf(key)
    async function attempt(): Promise<T> {
      await time.renew(key)
      const deadline = time.now() + COMMAND_DEADLINE
      const current = era.current(key)
      const [steadySince, renewal] = [time.steadySince(), time.renewal()]
      const reply = await awaitReply(send({ era: current, deadline, steadySince, renewal }))
      if (era.current(key) !== current) throw unavailable('the hot state')
      return reply
    }
    const startedAt = performance.now()
    let reply = await attempt()
    const actualTime = serverTimeOfRefusal(reply)
    if (actualTime !== undefined && performance.now() - startedAt < COMMAND_DEADLINE) {
      time.observe(actualTime, startedAt)
      reply = await attempt()
    }
    if (serverTimeOfRefusal(reply) !== undefined) throw unavailable('Redis')
    return reply
  }

  const replace = (userId: string, authorization: Authorization, rejected: string) =>
    awaitReply(
      setAuthorization<string>(keyOf(userId), snapshots.seal(userId, authorization), rejected),
    )
  const { resolve, openOwn } = createSnapshotKeeper({ ...options, replace })

  return {
    async open({ userId, sessionId, absoluteExpiry, authorization, generation: first, retryKey }) {
      const { refreshIdleTtl, maxSessionsPerUser } = settings
      const args = [
        idBytes(sessionId),
        now(),
        refreshIdleTtl,
        Math.floor(absoluteExpiry / 1_000),
        maxSessionsPerUser,
        snapshots.seal(userId, authorization),
        first,
        Buffer.from(retryKey ?? '', 'hex'),
      ]
      const key = keyOf(userId)
      const reply = await sendCommand<OpenReply>(key, (terms) =>
        open(key, ...args, terms.era, terms.deadline, terms.renewal.era, terms.renewal.at),
      )
      const [generation, rotatedAt, expiresAt, snapshot, ...evicted] = reply
      const inForce = openOwn(userId, snapshot)
      if (!inForce) await replace(userId, authorization, snapshot)
      return {
        currentToken: { generation, rotatedAt, expiresAt },
        authorization: inForce ?? authorization,
        evicted: evicted.map((hex) => stringify(Buffer.from(hex, 'hex'))),
      }
    },

    async rotate(userId, sessionId, { generation, retryKey }): Promise<RotationResult> {
      const { refreshIdleTtl, grace } = settings
      const packed = packRotationRequest({
        sessionId: idBytes(sessionId),
        now: clock?.() ?? 0,
        refreshIdleTtl,
        grace,
        generation,
        retryKey,
      })
      const key = keyOf(userId)
      const reply = parseRotationReply(
        await sendCommand(key, (terms) => rotate<string>(key, completeRequest(packed, terms))),
      )
      if (!('snapshot' in reply)) return reply
      const { snapshot, ...accepted } = reply
      const authorization = await resolve(userId, snapshot)
      return authorization ? { ...accepted, authorization } : { outcome: 'unknown' }
    },

    async close(userId, sessionId) {
      await awaitReply(close<number>(keyOf(userId), idBytes(sessionId)))
    },

    async closeAll(userId, except) {
      await awaitReply(closeAll<number>(keyOf(userId), except ? idBytes(except) : ''))
    },

    async setAuthorization(userId, authorization) {
      const text = snapshots.seal(userId, authorization)
      const snapshot = await awaitReply(setAuthorization<string>(keyOf(userId), text, ''))
      if (snapshot === '') return undefined
      const inForce = openOwn(userId, snapshot)
      if (!inForce) await replace(userId, authorization, snapshot)
      return inForce ?? authorization
    },

    forgetAll: () => era.begin(),

    async find(userId, sessionId) {
      const key = keyOf(userId)
      const current = era.current(key)
      const [packed, snapshot] = await awaitReply(redis.hmgetBuffer(key, idBytes(sessionId), 'u'))
      if (era.current(key) !== current) throw unavailable('the hot state')
      const session = parsePackedSession(packed)
      if (!session || !snapshot) return undefined
      const { generation, absoluteExpiry } = session
      if (generation === CONDEMNED) return 'condemned'
      if (session.era !== current) return undefined
      // A snapshot of somebody else does not count: Postgres knows the session.
      const authorization = snapshots.open(userId, snapshot.toString())
      return authorization && { ...authorization, generation, absoluteExpiry }
    },

    async ping() {
      if (!era.isKnown()) throw unavailable('the hot state')
      await awaitReply(redis.set(`{${prefix}revocations}:ready`, '', 'PX', PROBE_LIFETIME))
    },
  }
}

function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}
