import { signedOut } from '../error.ts'
import type { Platform } from '../platform.ts'
import type { Client } from '../types.ts'
import { createRequest } from './request.ts'
import type { Account, AccountOptions } from './types.ts'

/**
 * Creates the account functions of a client, whose session they use. The options are those that the
 * client was created with.
 */
export function createAccount(
  client: Client,
  { platform = globalThis as unknown as Platform, ...options }: AccountOptions,
): Account {
  const request = createRequest(platform, options)
  // A function of the platform must not be called as a method of something else.
  const anonymous: typeof fetch = (input, init) => platform.fetch(input, init)
  const post = (path: string, body?: object) => request(client.fetch, 'POST', path, body)
  const postAnonymously = (path: string, body: object) => request(anonymous, 'POST', path, body)

  /**
   * Lets the server say whether the session of this browser has ended, because it may be another
   * user's. If it cannot say so now, the next request with the old tokens finds out.
   */
  const endIfRefused = () => client.refresh().catch(() => {})

  /** Gives the password of the user who is signed in at the call, and continues as that user. */
  async function reauthenticate(password: string): Promise<void> {
    const id = client.sessionId
    const token = await client.token()
    if (id && client.sessionId !== id) throw signedOut()
    const { sessionId } = await client.signIn('reauthenticate', { password }, token)
    if (client.sessionId !== sessionId) throw signedOut()
  }

  return {
    forgotPassword: (email) => postAnonymously('password/forgot', { email }),
    async resetPassword({ token, newPassword }) {
      await postAnonymously('password/reset', { token, newPassword })
      await endIfRefused()
    },
    verifyEmail: (token) => postAnonymously('email/verify', { token }),
    sendVerification: () => post('email/verification'),
    changeEmail: ({ email, currentPassword }) => post('email', { email, currentPassword }),
    async deleteAccount(password) {
      if (password !== undefined) await reauthenticate(password)
      await request(client.fetch, 'DELETE', 'me')
      await endIfRefused()
    },
  }
}
