/**
 * What a client gets when Redis has fields that this version cannot read: those of another version
 * that runs beside it, and damaged ones.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Redis } from 'ioredis'
import { logIn, refreshOnce, signUp } from '../support/app-requests.ts'
import { cleanUp } from '../support/clean-up.ts'
import { environment } from '../support/environment.ts'
import { build } from '../support/in-process-server.ts'
import { startRedis } from '../support/services/redis.ts'

const AUTHORIZATION_FIELD = 'u'

const WAYS: Record<string, (value: Buffer, field: Buffer) => Buffer> = {
  'a later layout': (value, field) =>
    isSession(field) ? Buffer.concat([Buffer.from([2]), value]) : value,
  'a later layout of the same length': (value, field) =>
    // What this version would take for the generation is something else there.
    isSession(field) ? Buffer.concat([Buffer.from([2, 255, 255]), value.subarray(3)]) : value,
  'a session that is too short': (value, field) =>
    isSession(field) ? value.subarray(0, -1) : value,
  'an empty session': (value, field) => (isSession(field) ? Buffer.alloc(0) : value),
  'another form of the authorization': (value, field) =>
    isSession(field) ? value : Buffer.from('{"ver":1}'),
}

function isSession(field: Buffer): boolean {
  return field.toString() !== AUTHORIZATION_FIELD
}

for (const [what, change] of Object.entries(WAYS)) {
  test(`Theft is found, honest clients refresh, and logins succeed with ${what}`, async (t) => {
    const redis = await startRedis()
    cleanUp(t, () => redis.stop())
    const operator = new Redis(redis.url)
    cleanUp(t, async () => operator.disconnect())
    const env = await environment(t, { REDIS_URL: redis.url })
    const before = await build(t, env)
    const [stolen, honest] = [await signUp(before), await signUp(before)]
    const next = async (refreshToken: string) =>
      (await refreshOnce(before, refreshToken)).json().refreshToken
    const spent = await next(stolen.refreshToken)
    const newest = await next(await next(spent))
    const honestNewest = await next(honest.refreshToken)
    // A graceful stop writes the last checkpoints.
    await before.close()

    for (const key of await operator.keys('pawl:{*-*}'))
      for (const field of await operator.hkeysBuffer(key)) {
        const value = await operator.hgetBuffer(key, field)
        if (value) await operator.hset(key, field, change(value, field))
      }
    const app = await build(t, env)
    assert.equal((await logIn(app, stolen.email)).statusCode, 200)
    assert.equal((await refreshOnce(app, spent)).statusCode, 401)
    assert.equal((await refreshOnce(app, newest)).statusCode, 401)
    assert.equal((await logIn(app, honest.email)).statusCode, 200)
    assert.equal((await refreshOnce(app, honestNewest)).statusCode, 200)
  })
}
