import { createSecretKey, randomBytes } from 'node:crypto'

/**
 * What each peer reads from its environment. It listens on loopback alone, because the seed
 * endpoint hands out sessions.
 */
export const host = '127.0.0.1'
export const port = Number(process.env.PORT ?? 0)
export const redisUrl = required('REDIS_URL')
export const databaseUrl = required('DATABASE_URL')

/** A new secret at each start: sessions need not outlive the process. */
export const newSecret = () => randomBytes(32).toString('base64url')

/**
 * A secret for jsonwebtoken. If it is a string, the library checks at every call whether it is a
 * private or public key, which is thirty times slower. Tutorials pass a string.
 */
export const newSecretKey = () => createSecretKey(randomBytes(32))

/** @param {import('node:net').Server} server */
export function announce(server) {
  process.stdout.write(`Server listening at http://${host}:${server.address().port}\n`)
}

function required(name) {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set`)
  return value
}
