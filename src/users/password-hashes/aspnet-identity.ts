import { type Pbkdf2Digest, toPbkdf2Hash } from './pbkdf2.ts'
import { decodeBase64, demand, type StoredHash } from './stored-hash.ts'

const BASE64 = /^[A-Za-z0-9+/]{48,200}={0,2}$/

/** By the number in the header of version 3. */
const DIGESTS: (Pbkdf2Digest | undefined)[] = ['sha1', 'sha256', 'sha512']

/** Version 2: a byte 0, a salt of 16 bytes, a key of 32 bytes. */
const LENGTH_2 = 49
/** Version 3: a byte 1, then digest, iterations and length of the salt as 32-bit numbers. */
const HEADER_3 = 13

/** Parses a hash of ASP.NET Core Identity: PBKDF2 with its parameters, as one base64 text. */
export function parseAspNetIdentity(text: string): StoredHash | undefined {
  if (!BASE64.test(text)) return undefined
  const bytes = decodeBase64(text)
  if (bytes[0] === 0 && bytes.length === LENGTH_2)
    return toPbkdf2Hash('sha1', 1_000, { salt: bytes.subarray(1, 17), hash: bytes.subarray(17) })
  if (bytes[0] !== 1 || bytes.length < HEADER_3) return undefined
  const digest = DIGESTS[bytes.readUInt32BE(1)]
  const saltLength = bytes.readUInt32BE(9)
  if (!digest || saltLength > bytes.length - HEADER_3) return undefined
  demand(saltLength >= 8, 'has a salt of less than 8 bytes')
  return toPbkdf2Hash(digest, bytes.readUInt32BE(5), {
    salt: bytes.subarray(HEADER_3, HEADER_3 + saltLength),
    hash: bytes.subarray(HEADER_3 + saltLength),
  })
}
