import { parse, stringify } from 'uuid'
import { answer } from '../redis/answer.ts'
import type { RedisClient } from '../redis/client.ts'
import { pingRedis } from '../redis/connect.ts'
import { createScript } from '../redis/script.ts'
import { CONDEMNED } from './rotation.ts'
import type { Authorization, Rotation, SessionStore, StoreSettings } from './session-store.ts'

export interface RedisStoreOptions {
  /** What the keys begin with; `pawl:` unless several installations share a Redis. */
  prefix?: string
  /** Milliseconds since the epoch; the time of the Redis server unless given, so that nodes need not agree on theirs. */
  clock?: () => number
}

type Accepted = ['rotated' | 'replayed' | 'healed', number, number, number, number, string]
type RotateReply = Accepted | ['reused', number, number] | ['expired'] | ['unknown']

/**
 * The hot state in Redis: a hash per user (so that every operation is one script on one key, in a cluster too), with a
 * packed field per session. Rejects with `AUTH_UNAVAILABLE` where Redis does not answer.
 */
export function createRedisStore(
  redis: RedisClient,
  settings: StoreSettings,
  { prefix = 'pawl:', clock }: RedisStoreOptions = {},
): SessionStore {
  const script = (name: string) => createScript(redis, new URL(`./lua/${name}.lua`, import.meta.url))
  const open = script('open')
  const rotate = script('rotate')
  const close = script('close')
  const keyOf = (userId: string) => `${prefix}{${userId}}`
  const now = () => clock?.() ?? ''

  return {
    async open({ userId, sessionId, absoluteExpiry, authorization, generation: first, retryKey }) {
      const { idleTtl, maxSessions } = settings
      const args = [
        idBytes(sessionId),
        now(),
        idleTtl,
        absoluteExpiry,
        maxSessions,
        encode(authorization),
        first,
        Buffer.from(retryKey ?? '', 'hex'),
      ]
      type Reply = [number, number, number, string, ...string[]]
      const reply = await answer(open<Reply>(keyOf(userId), ...args))
      const [generation, rotatedAt, expiresAt, inForce, ...evicted] = reply
      return {
        line: { generation, rotatedAt, expiresAt },
        authorization: decode(inForce),
        evicted: evicted.map((hex) => stringify(Buffer.from(hex, 'hex'))),
      }
    },

    async rotate(userId, sessionId, { generation, retryKey }): Promise<Rotation> {
      const { idleTtl, grace } = settings
      const args = [idBytes(sessionId), now(), idleTtl, grace, generation, Buffer.from(retryKey ?? '', 'hex')]
      const reply = await answer(rotate<RotateReply>(keyOf(userId), ...args))
      switch (reply[0]) {
        case 'expired':
        case 'unknown':
          return { outcome: reply[0] }
        case 'reused':
          return { outcome: 'reused', now: reply[1], currentGeneration: reply[2] }
        default: {
          const [outcome, decidedAt, current, rotatedAt, expiresAt, authorization] = reply
          const line = { generation: current, rotatedAt, expiresAt }
          return { outcome, line, authorization: decode(authorization), now: decidedAt }
        }
      }
    },

    async close(userId, sessionId) {
      await answer(close<number>(keyOf(userId), idBytes(sessionId)))
    },

    async find(userId, sessionId) {
      const [state, authorization] = await answer(redis.hmgetBuffer(keyOf(userId), idBytes(sessionId), 'u'))
      if (!state || !authorization) return undefined
      if (state.readUInt32BE(0) === CONDEMNED) return 'condemned'
      return decode(authorization.toString()).ver
    },

    async ping() {
      await answer(pingRedis(redis))
    },
  }
}

function idBytes(id: string): Buffer {
  return Buffer.from(parse(id))
}

function encode({ ver, roles }: Authorization): string {
  return [ver, ...roles].join(' ')
}

function decode(text: string): Authorization {
  const [ver, ...roles] = text.split(' ')
  return { ver: Number(ver), roles }
}
