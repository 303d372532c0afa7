import { createSecretKey, randomBytes } from 'node:crypto'

/**
 * What each peer reads from its environment. A peer listens on loopback only, because the seed
 * endpoint returns sessions without a login.
 */
export const host = '127.0.0.1'
export const port = Number(process.env.PORT ?? 0)
export const redisUrl = required('REDIS_URL')
export const databaseUrl = required('DATABASE_URL')

/** Returns a new secret at each start, because sessions need not outlive the process. */
export const newSecret = () => randomBytes(32).toString('base64url')

/**
 * Returns a secret for jsonwebtoken as a key object. Tutorials pass a string. With a string, the
 * library checks at every call whether it is a private or public key, which is thirty times slower.
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
