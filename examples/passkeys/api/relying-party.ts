import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { PawlError } from 'pawl'
import type { Passkey, User } from './users.ts'

/**
 * Creates what this site asks of browsers and checks in their responses (WebAuthn 7). Passkeys are
 * bound to the host name of the origin, and never work at another one.
 *
 * @param origin The address of the page, such as `https://example.com`.
 */
export function createRelyingParty(origin: string) {
  const { hostname: rpID } = new URL(origin)
  // Without user verification, a passkey would only prove that somebody has the device.
  const expected = {
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
  }

  return {
    registrationOptions: (user: User, existing: readonly Passkey[]) =>
      generateRegistrationOptions({
        rpName: 'Vault',
        rpID,
        userName: user.name,
        userID: new TextEncoder().encode(user.id),
        excludeCredentials: existing.map(({ id, transports = [] }) => ({ id, transports })),
        // A resident key is found without a user name.
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      }),

    loginOptions: () => generateAuthenticationOptions({ rpID, userVerification: 'required' }),

    /** Returns the new passkey. Throws if the response is not one to this challenge. */
    async verifyRegistration(
      userId: string,
      response: RegistrationResponseJSON,
      expectedChallenge: string,
    ): Promise<Passkey> {
      const verifying = verifyRegistrationResponse({ ...expected, response, expectedChallenge })
      const { registrationInfo } = await verifying.catch(refuse)
      if (!registrationInfo) throw refusal()
      const { credential, credentialDeviceType: deviceType } = registrationInfo
      return { ...credential, userId, deviceType }
    },

    /** Returns the new value of the counter. Throws if the response is not one to this challenge. */
    async verifyLogin(
      credential: Passkey,
      response: AuthenticationResponseJSON,
      expectedChallenge: string,
    ): Promise<number> {
      const request = { ...expected, credential, response, expectedChallenge }
      const { verified, authenticationInfo } =
        await verifyAuthenticationResponse(request).catch(refuse)
      const { userHandle = '' } = response.response
      const isOwner = Buffer.from(userHandle, 'base64url').toString() === credential.userId
      // What a passkey is does not change, so something else has responded if it did.
      const isSame = authenticationInfo.credentialDeviceType === credential.deviceType
      if (!verified || !isOwner || !isSame) throw refusal()
      return authenticationInfo.newCounter
    },
  }
}

export function refusal(cause?: unknown): PawlError {
  const reason = cause instanceof Error ? cause.message : 'the passkey does not match'
  return new PawlError('AUTH_INVALID_CREDENTIALS', {
    detail: 'The passkey was not accepted.',
    reason,
  })
}

function refuse(cause: unknown): never {
  throw refusal(cause)
}
