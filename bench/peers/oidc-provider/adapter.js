import { Redis } from 'ioredis'
import { redisUrl } from '../common/environment.js'

const redis = new Redis(redisUrl, { keyPrefix: 'oidc:', enableAutoPipelining: true })

const CONSUMABLE = new Set(['AuthorizationCode', 'RefreshToken', 'DeviceCode'])
const GRANTABLE = new Set([...CONSUMABLE, 'AccessToken'])

const keyOfGrant = (id) => `grant:${id}`
const keyOfUid = (uid) => `uid:${uid}`

/**
 * Stores models in the layout of the package's example. A consumable model is a hash, and every
 * other model is a string. A list for each grant holds the keys of its models. Unlike the example,
 * the adapter writes in one round trip, including the lifetime of the list.
 */
export class RedisAdapter {
  constructor(name) {
    this.name = name
    this.consumable = CONSUMABLE.has(name)
    this.grantable = GRANTABLE.has(name)
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id)
    const text = JSON.stringify(payload)
    const multi = redis.multi()
    if (this.consumable) multi.hset(key, 'payload', text).expire(key, expiresIn)
    else multi.set(key, text, 'EX', expiresIn)
    if (this.grantable && payload.grantId) {
      const list = keyOfGrant(payload.grantId)
      // The list keeps the longer of the two lifetimes. NX is for a new list, which has none yet.
      multi.rpush(list, key).expire(list, expiresIn, 'NX').expire(list, expiresIn, 'GT')
    }
    if (payload.uid) multi.set(keyOfUid(payload.uid), id, 'EX', expiresIn)
    await multi.exec()
  }

  async find(id) {
    if (!this.consumable) {
      const text = await redis.get(this.key(id))
      return text ? JSON.parse(text) : undefined
    }
    const { payload, ...rest } = await redis.hgetall(this.key(id))
    return payload ? { ...rest, ...JSON.parse(payload) } : undefined
  }

  async findByUid(uid) {
    const id = await redis.get(keyOfUid(uid))
    return id ? this.find(id) : undefined
  }

  /** Finds nothing, because only the device flow uses it and that flow is off. */
  async findByUserCode() {
    return undefined
  }

  async consume(id) {
    await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000))
  }

  async destroy(id) {
    await redis.del(this.key(id))
  }

  async revokeByGrantId(grantId) {
    const list = keyOfGrant(grantId)
    await redis.del(...(await redis.lrange(list, 0, -1)), list)
  }

  key(id) {
    return `${this.name}:${id}`
  }
}
