import { createHmac, createSecretKey, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** A device that has logged in to an account before. */
export interface KnownDevice {
  /** The same for all devices of an account. It does not tell the account. */
  account: string
  id: string
}

/** Bytes of the parts of an entry: HMAC of the account, random id, seconds since 1970, MAC. */
const [ACCOUNT_LENGTH, ID_LENGTH, TIME_LENGTH, MAC_LENGTH] = [12, 12, 4, 16]
const CONTENT_LENGTH = ACCOUNT_LENGTH + ID_LENGTH + TIME_LENGTH
/** Accounts that one device proves. One more replaces the account that logged in longest ago. */
const MAX_ACCOUNTS = 5
/** Seconds. Browsers keep no cookie longer (RFC 6265bis 5.5). */
export const DEVICE_LIFETIME = 400 * 24 * 3_600

/**
 * Creates what makes and reads the proof that a device has logged in to an account before. A proof
 * is a text of one entry for each account, newest first, authenticated by HMAC-SHA-256 under a key
 * derived (HKDF, RFC 5869) from a secret. It says nothing about the account, and is worth nothing
 * for another account. `secrets` is a comma-separated list: the first secret makes the proofs and
 * every secret verifies them. `now` returns milliseconds since 1970.
 */
export function createKnownDevices(secrets: string, now: () => number) {
  const keys = secrets
    .split(',')
    .map((secret) => hkdfSync('sha256', secret.trim(), '', 'pawl known devices', 32))
    .map((key) => createSecretKey(Buffer.from(key)))
  const [first] = keys
  if (!first) throw new Error('there is no secret to authenticate with')

  type Key = typeof first
  const macOf = (key: Key, purpose: 'account' | 'device', content: Buffer | string) =>
    createHmac('sha256', key).update(purpose).update(content).digest()
  const accountOf = (key: Key, account: string) =>
    macOf(key, 'account', account.toLowerCase()).subarray(0, ACCOUNT_LENGTH)

  function read(text: string): (KnownDevice & { key: Key; text: string }) | undefined {
    const entry = Buffer.from(text, 'base64url')
    if (entry.length !== CONTENT_LENGTH + MAC_LENGTH) return undefined
    const content = entry.subarray(0, CONTENT_LENGTH)
    const mac = entry.subarray(CONTENT_LENGTH)
    const key = keys.find((one) =>
      timingSafeEqual(macOf(one, 'device', content).subarray(0, MAC_LENGTH), mac),
    )
    const age = now() / 1_000 - content.readUInt32BE(ACCOUNT_LENGTH + ID_LENGTH)
    if (!key || age > DEVICE_LIFETIME) return undefined
    const account = content.subarray(0, ACCOUNT_LENGTH).toString('base64url')
    const id = content.subarray(ACCOUNT_LENGTH, ACCOUNT_LENGTH + ID_LENGTH).toString('base64url')
    return { account, id, key, text }
  }

  /** Ignores what this service did not make, and entries that are too old. */
  function readAll(proof: string | undefined) {
    const texts = (proof ?? '').split('.').slice(0, MAX_ACCOUNTS)
    return texts.flatMap((text) => read(text) ?? [])
  }

  const isOf = (account: string) => (entry: { account: string; key: Key }) =>
    accountOf(entry.key, account).toString('base64url') === entry.account

  return {
    /** Returns the device if the proof is good for this account. */
    find(proof: string | undefined, account: string): KnownDevice | undefined {
      return readAll(proof).find(isOf(account))
    },

    /** Returns the device of any account that the proof is good for, or undefined. */
    findAny(proof: string | undefined): KnownDevice | undefined {
      return readAll(proof)[0]
    },

    /**
     * Returns the proof that a device carries after a login to the account. `proof` is what it
     * carried before: it keeps its id and its other accounts.
     */
    add(proof: string | undefined, account: string): string {
      const known = readAll(proof)
      const isSame = isOf(account)
      const id = known.find(isSame)?.id
      const time = Buffer.alloc(TIME_LENGTH)
      time.writeUInt32BE(Math.floor(now() / 1_000))
      const content = Buffer.concat([
        accountOf(first, account),
        id === undefined ? randomBytes(ID_LENGTH) : Buffer.from(id, 'base64url'),
        time,
      ])
      const mac = macOf(first, 'device', content).subarray(0, MAC_LENGTH)
      const entry = Buffer.concat([content, mac]).toString('base64url')
      const others = known.filter((one) => !isSame(one)).map(({ text }) => text)
      return [entry, ...others].slice(0, MAX_ACCOUNTS).join('.')
    },
  }
}
