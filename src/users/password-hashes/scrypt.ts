import { createCipheriv, scrypt as derive, timingSafeEqual } from 'node:crypto'
import {
  decodeBase64,
  demand,
  doublings,
  type HashFormat,
  isPowerOfTwo,
  type StoredHash,
  spendAll,
} from './stored-hash.ts'

/** N times r times p: the work of a second or two. */
const MAX_WORK = 4_194_304
/** Bytes: 128 times N times r. */
const MAX_MEMORY = 268_435_456

const PHC = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w+/]+={0,2})\$([\w+/]+={0,2})$/
const FIREBASE =
  /^\$fbscrypt\$v=1,n=(\d+),r=(\d+),p=(\d+),ss=([\w+/=-]+),sk=([\w+/=-]+)\$([\w+/=-]+)\$([\w+/=-]+)$/
/** The library of better-auth, and Lucia with the prefix. The salt is used as it is written. */
const SALT_AND_KEY = /^(?:s2:)?([0-9a-f]{32}):([0-9a-f]{128})$/
const FAMILY = /^scrypt-r(\d+)-p(\d+)$/

export interface ScryptParameters {
  /** N, a power of two. */
  cost: number
  blockSize: number
  parallelization: number
}

function key(password: string, salt: Buffer, length: number, parameters: ScryptParameters) {
  const { cost, blockSize, parallelization } = parameters
  // The default of Node is 32 MiB, and better-auth's parameters need a little more.
  const options = { N: cost, r: blockSize, p: parallelization, maxmem: 2 * MAX_MEMORY }
  return new Promise<Buffer>((resolve, reject) =>
    derive(password, salt, length, options, (error, derived) =>
      error ? reject(error) : resolve(derived),
    ),
  )
}

/** `finish` makes the expected hash from the derived key. */
export function toScryptHash(
  parameters: ScryptParameters,
  { salt, hash, keyLength = hash.length }: { salt: Buffer; hash: Buffer; keyLength?: number },
  finish: (derived: Buffer) => Buffer = (derived) => derived,
): StoredHash {
  const { cost, blockSize, parallelization } = parameters
  const work = cost * blockSize * parallelization
  demand(cost >= 2 && isPowerOfTwo(cost), 'has a cost that is not a power of two')
  demand(blockSize >= 1 && parallelization >= 1, 'has an r or a p below 1')
  demand(
    work <= MAX_WORK && 128 * cost * blockSize <= MAX_MEMORY,
    `costs too much: N times r times p is at most ${MAX_WORK}, and N times r ${MAX_MEMORY / 128}`,
  )
  demand(hash.length >= 16 && hash.length <= 256, 'has a hash that is not 16 to 256 bytes long')
  return {
    family: `scrypt-r${blockSize}-p${parallelization}`,
    cost,
    async verify(password) {
      const expected = finish(await key(password, salt, keyLength, parameters))
      return expected.length === hash.length && timingSafeEqual(expected, hash)
    },
  }
}

function parsePhc(text: string): StoredHash | undefined {
  const [, log, blockSize, parallelization, salt = '', hash = ''] = PHC.exec(text) ?? []
  if (log === undefined) return undefined
  const parameters = {
    cost: 2 ** Number(log),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
  }
  return toScryptHash(parameters, { salt: decodeBase64(salt), hash: decodeBase64(hash) })
}

/**
 * Parses a hash of Firebase Authentication. Its scrypt key encrypts the signer key of the project,
 * and the result is the hash.
 */
function parseFirebase(text: string): StoredHash | undefined {
  const match = FIREBASE.exec(text)
  if (!match) return undefined
  const [, log, blockSize, parallelization] = match
  const [separator, signerKey, salt, hash] = match.slice(4).map(decodeBase64) as Buffer[]
  demand(signerKey !== undefined && signerKey.length >= 16, 'has a signer key that is too short')
  const parameters = {
    cost: 2 ** Number(log),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
  }
  return toScryptHash(
    parameters,
    {
      salt: Buffer.concat([salt as Buffer, separator as Buffer]),
      hash: hash as Buffer,
      keyLength: 32,
    },
    (derived) => createCipheriv('aes-256-ctr', derived, Buffer.alloc(16)).update(signerKey),
  )
}

function parseSaltAndKey(text: string): StoredHash | undefined {
  const [, salt, hash] = SALT_AND_KEY.exec(text) ?? []
  if (salt === undefined || hash === undefined) return undefined
  const parameters = { cost: 16_384, blockSize: 16, parallelization: 1 }
  return toScryptHash(parameters, { salt: Buffer.from(salt), hash: Buffer.from(hash, 'hex') })
}

/** scrypt (RFC 7914) in the PHC format, Firebase's, and that of better-auth. */
export const scryptFormat: HashFormat = {
  parse: (text) => parsePhc(text) ?? parseFirebase(text) ?? parseSaltAndKey(text),

  spend(family, from, to) {
    const [, blockSize, parallelization] = FAMILY.exec(family) ?? []
    if (blockSize === undefined) return undefined
    const rest = { blockSize: Number(blockSize), parallelization: Number(parallelization) }
    return spendAll(doublings(from, to), (cost) => key('', Buffer.alloc(16), 32, { cost, ...rest }))
  },
}
