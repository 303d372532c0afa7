import { readFileSync } from 'node:fs'
import type { RedisClient } from './client.ts'

type Reply = (string | number)[] | string | number

/**
 * A Lua script of this package as a function of one key. It costs one round trip; where the server does not know it
 * yet (first use, restart, fail-over) one more sends it whole.
 */
export function createScript(redis: RedisClient, file: URL) {
  const name = `pawl:${file.pathname.split('/').pop()}`
  redis.defineCommand(name, { numberOfKeys: 1, lua: readFileSync(file, 'utf8') })
  const command = (redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[
    name
  ]
  return <T extends Reply>(key: string, ...args: (string | number | Buffer)[]) =>
    command?.call(redis, key, ...args) as Promise<T>
}
