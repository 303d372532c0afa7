import { randomBytes } from 'node:crypto'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'

export interface AuthOptions {
  /** The public origin of the app. */
  baseURL: string
  /** Whether guesses are limited. */
  hasLimits: boolean
  /** Called after a user has a new password. */
  onNewPassword(userId: string): Promise<unknown>
  /** Called after a user was deleted. */
  onDeleted(userId: string): Promise<unknown>
}

/** Seconds in which the page exchanges the session of better-auth for one of Pawl. */
const EXCHANGE_LIFETIME = 300

export type Auth = ReturnType<typeof createAuth>

/** Creates better-auth, which knows the users and how they sign in. */
export function createAuth({ baseURL, hasLimits, onNewPassword, onDeleted }: AuthOptions) {
  return betterAuth({
    baseURL,
    basePath: '/api/auth',
    // Nodes of one app must share it. For a look, one that lives as long as the users is enough.
    secret: process.env.BETTER_AUTH_SECRET ?? randomBytes(32).toString('base64url'),
    // In memory: all accounts are lost when the process ends. Use your own database instead.
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: {
      enabled: true,
      onPasswordReset: async ({ user }) => void (await onNewPassword(user.id)),
    },
    user: {
      deleteUser: { enabled: true, afterDelete: async ({ id }) => void (await onDeleted(id)) },
    },
    // Its session only has to live until the exchange, and until an account page has done its work.
    session: { expiresIn: EXCHANGE_LIFETIME, disableSessionRefresh: true },
    databaseHooks: {
      account: {
        update: {
          async after(account) {
            if (account?.providerId === 'credential') await onNewPassword(account.userId)
          },
        },
      },
    },
    // By default it limits guesses in production alone.
    rateLimit: { enabled: hasLimits },
    telemetry: { enabled: false },
  })
}
