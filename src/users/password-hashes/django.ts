import { createHash } from 'node:crypto'
import { argon2Format } from './argon2.ts'
import { parseBcrypt } from './bcrypt.ts'
import { toPbkdf2Hash } from './pbkdf2.ts'
import { toScryptHash } from './scrypt.ts'
import { decodeBase64, type StoredHash } from './stored-hash.ts'

const PBKDF2 = /^pbkdf2_(sha1|sha256)\$(\d+)\$([^$]+)\$([\w+/]+={0,2})$/
const SCRYPT = /^scrypt\$([^$]+)\$(\d+)\$(\d+)\$(\d+)\$([\w+/]+={0,2})$/

/** Parses a hash of Django: the name of a hasher, then its fields or another format. */
export function parseDjango(text: string): StoredHash | undefined {
  const [hasher = ''] = text.split('$', 1)
  const rest = text.slice(hasher.length + 1)
  if (hasher === 'argon2') return argon2Format.parse(`$${rest}`)
  if (hasher === 'bcrypt') return parseBcrypt(rest)
  // A digest of the password, so that bcrypt sees passwords of more than 72 bytes whole.
  if (hasher === 'bcrypt_sha256')
    return parseBcrypt(rest, (password) => createHash('sha256').update(password).digest('hex'))
  return parsePbkdf2(text) ?? parseScrypt(text)
}

function parsePbkdf2(text: string): StoredHash | undefined {
  const [, digest, iterations, salt = '', hash = ''] = PBKDF2.exec(text) ?? []
  if (digest !== 'sha1' && digest !== 'sha256') return undefined
  return toPbkdf2Hash(digest, Number(iterations), {
    salt: Buffer.from(salt),
    hash: decodeBase64(hash),
  })
}

function parseScrypt(text: string): StoredHash | undefined {
  const match = SCRYPT.exec(text)
  if (!match) return undefined
  const [, salt = '', cost, blockSize, parallelization, hash = ''] = match
  return toScryptHash(
    {
      cost: Number(cost),
      blockSize: Number(blockSize),
      parallelization: Number(parallelization),
    },
    { salt: Buffer.from(salt), hash: decodeBase64(hash) },
  )
}
