import { createHmac, createSecretKey, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Authorization } from './session-store.ts'

/** Bytes of the MAC. A forger has no way to try many without being seen. */
const MAC_LENGTH = 8

export interface Snapshots {
  /** Returns `<ver> <role>… <mac>`, as the hot state stores it. Roles contain no spaces. */
  seal(userId: string, authorization: Authorization): string
  /** Returns undefined if this service did not make the snapshot for this user. */
  open(userId: string, snapshot: string): Authorization | undefined
}

/**
 * Creates what authenticates the copies of users' rights that Redis holds, by HMAC-SHA-256 under a
 * key derived (HKDF, RFC 5869) from a secret that Redis never sees. `secrets` is a comma-separated
 * list: the first secret makes the MACs and every secret verifies them.
 */
export function createSnapshots(secrets: string): Snapshots {
  const keys = secrets
    .split(',')
    .map((secret) => hkdfSync('sha256', secret.trim(), '', 'pawl authorization snapshots', 32))
    .map((key) => createSecretKey(Buffer.from(key)))
  const [first] = keys
  if (!first) throw new Error('there is no secret to authenticate with')

  return {
    seal(userId, { ver, roles }) {
      const content = [ver, ...roles].join(' ')
      return `${content} ${macOf(first, userId, content).toString('base64url')}`
    },

    open(userId, snapshot) {
      const end = snapshot.lastIndexOf(' ')
      const content = snapshot.slice(0, Math.max(0, end))
      const mac = Buffer.from(snapshot.slice(end + 1), 'base64url')
      if (mac.length !== MAC_LENGTH) return undefined
      if (!keys.some((key) => timingSafeEqual(macOf(key, userId, content), mac))) return undefined
      const [ver, ...roles] = content.split(' ')
      return { ver: Number(ver), roles }
    },
  }
}

function macOf(key: ReturnType<typeof createSecretKey>, userId: string, content: string): Buffer {
  return createHmac('sha256', key).update(`${userId} ${content}`).digest().subarray(0, MAC_LENGTH)
}
