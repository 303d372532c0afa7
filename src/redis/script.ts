import { readFileSync } from 'node:fs'
import type { RedisClient } from './client.ts'

type Reply = (string | number)[] | string | number

/**
 * Returns a Lua script of this package as a function of one key. A call costs one round trip, and
 * a second one, which sends the whole script, if the server has lost it (restart, fail-over).
 */
export function createScript(redis: RedisClient, file: URL) {
  const name = `pawl:${file.pathname.split('/').pop()}`
  redis.defineCommand(name, { numberOfKeys: 1, lua: readFileSync(file, 'utf8') })
  // ioredis adds the command as a method, for which it can have no type.
  const commands = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  const command = commands[name]
  return <T extends Reply>(key: string, ...args: (string | number | Buffer)[]) =>
    command?.call(redis, key, ...args) as Promise<T>
}
