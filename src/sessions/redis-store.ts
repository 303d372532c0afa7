import { stringify } from 'uuid'
import type { SharedClock } from '../common/clocks.ts'
import { unavailable } from '../errors.ts'
import { awaitReply } from '../redis/await-reply.ts'
import type { RedisClient } from '../redis/client.ts'
import { pingRedis } from '../redis/connect.ts'
import { createScript } from '../redis/script.ts'
import type { Era } from './redis-era.ts'
import { decode, encode, lateness, packRotation, readRotation, stamp } from './redis-wire.ts'
import { CONDEMNED } from './rotation.ts'
import type { RotationResult, SessionStore, StoreSettings } from './session-store.ts'

export interface RedisStoreOptions {
  era: Pick<Era, 'current' | 'isKnown' | 'begin'>
  /** The time of the Redis server, as far as this node knows it. */
  serverClock: Pick<SharedClock, 'now'>
  /** What the keys begin with; `pawl:` unless several installations share a Redis. */
  prefix?: string
  /** Milliseconds since the epoch; the time of the Redis server unless given, so that nodes need not agree on theirs. */
  clock?: (() => number) | undefined
}

/**
 * Milliseconds after which a command that was held up on the way does nothing: a little less than its caller waits, so that
 * nothing happens any more once he has been told that it did not.
 */
const DEADLINE = 900

/** Where the era stands in a packed session; open.lua has the whole layout. */
const ERA_OFFSET = 22

type OpenReply = [number, number, number, string, ...string[]]

/**
 * The hot state in Redis: a hash per user (so that every operation is one script on one key, in a cluster too), with a
 * packed field per session. Rejects with `AUTH_UNAVAILABLE` where Redis does not answer.
 */
export function createRedisStore(
  redis: RedisClient,
  settings: StoreSettings,
  { era, serverClock, prefix = 'pawl:', clock }: RedisStoreOptions,
): SessionStore {
  const script = (name: string) =>
    createScript(redis, new URL(`./lua/${name}.lua`, import.meta.url))
  const open = script('open')
  const rotate = script('rotate')
  const close = script('close')
  const closeAll = script('close_all')
  const setAuthorization = script('set_authorization')
  const keyOf = (userId: string) => `${prefix}{${userId}}`
  const now = () => clock?.() ?? ''
  const serverTime = clock ?? serverClock.now

  /**
   * Sends a command with its era and its deadline. A server whose clock is ahead of what we thought refuses it, and is asked
   * once more. What a server did that was not known all the while does not count: it may have old data.
   */
  async function command<T>(
    key: string,
    send: (era: number, deadline: number) => Promise<T>,
  ): Promise<T> {
    const begun = performance.now()
    const current = era.current(key)
    let reply = await awaitReply(send(current, serverTime() + DEADLINE))
    const timeThere = lateness(reply)
    if (timeThere !== undefined && performance.now() - begun < DEADLINE)
      reply = await awaitReply(send(current, timeThere + DEADLINE))
    if (lateness(reply) !== undefined) throw unavailable('Redis')
    if (era.current(key) !== current) throw unavailable('the hot state')
    return reply
  }

  return {
    async open({ userId, sessionId, absoluteExpiry, authorization, generation: first, retryKey }) {
      const { refreshIdleTtl, maxSessionsPerUser } = settings
      const args = [
        idBytes(sessionId),
        now(),
        refreshIdleTtl,
        absoluteExpiry,
        maxSessionsPerUser,
        encode(authorization),
        first,
        Buffer.from(retryKey ?? '', 'hex'),
      ]
      const key = keyOf(userId)
      const reply = await command<OpenReply>(key, (...last) => open(key, ...args, ...last))
      const [generation, rotatedAt, expiresAt, inForce, ...evicted] = reply
      return {
        currentToken: { generation, rotatedAt, expiresAt },
        authorization: decode(inForce),
        evicted: evicted.map((hex) => stringify(Buffer.from(hex, 'hex'))),
      }
    },

    async rotate(userId, sessionId, { generation, retryKey }): Promise<RotationResult> {
      const { refreshIdleTtl, grace } = settings
      const packed = packRotation({
        sessionId: idBytes(sessionId),
        now: clock?.() ?? 0,
        refreshIdleTtl,
        grace,
        generation,
        retryKey,
      })
      const key = keyOf(userId)
      return readRotation(
        await command(key, (current, deadline) =>
          rotate<string>(key, stamp(packed, current, deadline)),
        ),
      )
    },

    async close(userId, sessionId) {
      await awaitReply(close<number>(keyOf(userId), idBytes(sessionId)))
    },

    async closeAll(userId, except) {
      await awaitReply(closeAll<number>(keyOf(userId), except ? idBytes(except) : ''))
    },

    async setAuthorization(userId, authorization) {
      await awaitReply(setAuthorization<number>(keyOf(userId), encode(authorization)))
    },

    forgetAll: () => era.begin(),

    async find(userId, sessionId) {
      const key = keyOf(userId)
      const current = era.current(key)
      const [state, authorization] = await awaitReply(
        redis.hmgetBuffer(key, idBytes(sessionId), 'u'),
      )
      if (era.current(key) !== current) throw unavailable('the hot state')
      if (!state || !authorization) return undefined
      const generation = state.readUInt32BE(0)
      if (generation === CONDEMNED) return 'condemned'
      if (state.readUInt32BE(ERA_OFFSET) !== current) return undefined
      return { ver: decode(authorization.toString()).ver, generation }
    },

    async ping() {
      if (!era.isKnown()) throw unavailable('the hot state')
      await awaitReply(pingRedis(redis))
    },
  }
}

function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}
