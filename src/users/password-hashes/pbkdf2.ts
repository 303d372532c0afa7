import { pbkdf2 as derive, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { decodeBase64, demand, type HashFormat, type StoredHash } from './stored-hash.ts'

/** Iterations, counted for each block of the derived key: the work of a second or two. */
const MAX_WORK = 5_000_000

/** Bytes of a block, by digest. */
const BLOCKS = { sha1: 20, sha256: 32, sha512: 64 }
export type Pbkdf2Digest = keyof typeof BLOCKS

const PHC =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d+)(?:,l=\d+)?\$([\w+/.]+={0,2})\$([\w+/.]+={0,2})$/
const FAMILY = /^pbkdf2-(sha1|sha256|sha512)$/

const pbkdf2 = promisify(derive)

export function toPbkdf2Hash(
  digest: Pbkdf2Digest,
  iterations: number,
  { salt, hash }: { salt: Buffer; hash: Buffer },
): StoredHash {
  const cost = iterations * Math.ceil(hash.length / BLOCKS[digest])
  demand(iterations >= 1, 'has less than one iteration')
  demand(cost <= MAX_WORK, `costs too much: at most ${MAX_WORK} iterations`)
  demand(hash.length >= 16 && hash.length <= 256, 'has a hash that is not 16 to 256 bytes long')
  return {
    family: `pbkdf2-${digest}`,
    cost,
    async verify(password) {
      const expected = await pbkdf2(password, salt, iterations, hash.length, digest)
      return timingSafeEqual(expected, hash)
    },
  }
}

/**
 * PBKDF2 (RFC 8018) in the PHC format, and in that of passlib, which has no `i=` and writes a dot
 * instead of a plus. Without a digest it is SHA-1.
 */
export const pbkdf2Format: HashFormat = {
  parse(text) {
    const match = PHC.exec(text)
    if (!match) return undefined
    const [, digest = 'sha1', iterations, ...parts] = match
    const [salt, hash] = parts.map((part) => decodeBase64(part.replaceAll('.', '+')))
    if (!salt || !hash) return undefined
    return toPbkdf2Hash(digest as Pbkdf2Digest, Number(iterations), { salt, hash })
  },

  spend(family, from, to) {
    const digest = FAMILY.exec(family)?.[1] as Pbkdf2Digest | undefined
    if (!digest) return undefined
    if (to <= from) return Promise.resolve()
    return pbkdf2('', Buffer.alloc(16), to - from, BLOCKS[digest], digest)
  },
}
