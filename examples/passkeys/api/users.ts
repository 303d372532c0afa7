import type { WebAuthnCredential } from '@simplewebauthn/server'

export interface User {
  id: string
  /** What the browser shows beside the passkey. It identifies nobody, so two users may share it. */
  name: string
}

export interface Passkey extends WebAuthnCredential {
  userId: string
  /** Says whether the passkey is bound to one device, or synced to all devices of the user. */
  deviceType: 'singleDevice' | 'multiDevice'
}

export type Users = ReturnType<typeof createUsers>

/**
 * Creates the store of the users and their passkeys. It is in memory, so a restart forgets them.
 * In your application these are two tables, and each function is one statement.
 */
export function createUsers() {
  const users = new Map<string, User>()
  const passkeys = new Map<string, Passkey>()
  return {
    find: (id: string) => users.get(id),
    add: (user: User) => void users.set(user.id, user),
    findPasskey: (id: string) => passkeys.get(id),
    passkeysOf: (userId: string) => [...passkeys.values()].filter((one) => one.userId === userId),

    /** Returns false if the passkey is registered already, be it for another user. */
    addPasskey(passkey: Passkey): boolean {
      if (passkeys.has(passkey.id)) return false
      passkeys.set(passkey.id, passkey)
      return true
    },

    /**
     * Stores the signature counter. Returns false if it has not grown, because the passkey was used
     * elsewhere as well. Passkeys without a counter, such as synced ones, always send 0.
     */
    raiseCounter(id: string, counter: number): boolean {
      const passkey = passkeys.get(id)
      if (!passkey || (passkey.counter > 0 && counter <= passkey.counter)) return false
      passkey.counter = counter
      return true
    },
  }
}
