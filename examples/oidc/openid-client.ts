import { createHash } from 'node:crypto'
import * as oidc from 'openid-client'

export interface ProviderSettings {
  /**
   * Begins the ids of all users of this provider. Never change it, and never give it to another
   * provider: the ids say who owns what in your application.
   */
  name: string
  issuer: URL
  clientId: string
  clientSecret: string
  /** The route that the provider redirects to. It is registered there. */
  callback: URL
}

/** What the callback needs to know about the request to the provider. */
export interface Attempt {
  state: string
  nonce: string
  verifier: string
  /** The greatest age of the user's login at the provider, in seconds. */
  maxAge?: number | undefined
}

export interface SignedInUser {
  user: { id: string; email?: string }
  amr: string[]
  /** Seconds since 1970. */
  authTime: number
}

export type Outcome =
  | ({ kind: 'signed-in' } & SignedInUser)
  /** The user did not want to, or the provider did not let them. */
  | { kind: 'refused'; error: unknown }
  | { kind: 'failed'; error: unknown }

/** The characters that Pawl allows in the id of a user, and the length. */
const USER_ID = /^[A-Za-z0-9._:@|-]{1,128}$/

/** The addresses that Pawl accepts. */
const EMAIL = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/

/**
 * Returns the id of the user with this `sub`. Another provider may have the same `sub` for somebody
 * else, and an e-mail address may change hands, so the id is made of the provider's name and the
 * `sub`. A `sub` that is too long for an id or has other characters is replaced by its hash.
 */
export function userIdOf(name: string, sub: string): string {
  const id = `${name}|${sub}`
  // The second condition: nobody can choose a `sub` that looks like the hash of another one.
  if (USER_ID.test(id) && !sub.startsWith('sha256:')) return id
  return `${name}|sha256:${createHash('sha256').update(sub).digest('base64url')}`
}

/** Returns the methods that the provider names, as far as a token of Pawl can carry them. */
function methodsOf(amr: unknown): string[] {
  const named = Array.isArray(amr) ? amr.map(String) : []
  const methods = named.filter((method) => /^[A-Za-z0-9._:-]{1,32}$/.test(method))
  // No name of RFC 8176: none of its methods is known to have been used.
  return methods.length > 0 ? [...new Set(methods)].slice(0, 8) : ['oidc']
}

/** Returns the address if the provider has verified that it belongs to the user. */
function verifiedEmail({ email, email_verified }: Partial<oidc.UserInfoResponse>) {
  return email_verified === true && email && EMAIL.test(email) ? { email } : {}
}

export type OpenIdClient = ReturnType<typeof createOpenIdClient>

/** Creates the client of one provider. Throws if a setting is missing. */
export function createOpenIdClient(settings: ProviderSettings) {
  const { name, issuer, clientId, clientSecret, callback } = settings
  if (!/^[a-z0-9-]{1,32}$/.test(name)) throw new Error('OIDC_NAME must have letters, digits and -')
  if (!clientId || !clientSecret)
    throw new Error('OIDC_CLIENT_ID and OIDC_CLIENT_SECRET are needed')
  // Without TLS, only a provider on this machine can be believed.
  const isHere = issuer.protocol === 'http:' && issuer.hostname === 'localhost'
  // ID tokens come from the provider by TLS. Their signatures are verified all the same.
  const execute = [oidc.enableNonRepudiationChecks, ...(isHere ? [oidc.allowInsecureRequests] : [])]
  let discovery: Promise<oidc.Configuration> | undefined

  /** Reads the provider's metadata once. The next sign-in tries again if that fails. */
  function discover(): Promise<oidc.Configuration> {
    discovery ??= oidc
      .discovery(issuer, clientId, clientSecret, undefined, { execute })
      .catch((error) => {
        discovery = undefined
        throw error
      })
    return discovery
  }

  return {
    /** Returns where to send the browser, and what to keep until it comes back. */
    async begin(maxAge?: number): Promise<{ url: URL; attempt: Attempt }> {
      const configuration = await discover()
      const verifier = oidc.randomPKCECodeVerifier()
      const attempt = { state: oidc.randomState(), nonce: oidc.randomNonce(), verifier, maxAge }
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: callback.href,
        scope: 'openid email',
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
      })
      return { url, attempt }
    },

    /** Exchanges the code for the user. `search` is the query that the browser came back with. */
    async finish(search: string, attempt: Attempt): Promise<Outcome> {
      try {
        const configuration = await discover()
        const tokens = await oidc.authorizationCodeGrant(configuration, new URL(search, callback), {
          expectedState: attempt.state,
          expectedNonce: attempt.nonce,
          pkceCodeVerifier: attempt.verifier,
          ...(attempt.maxAge !== undefined && { maxAge: attempt.maxAge }),
        })
        const claims = tokens.claims()
        if (!claims) throw new Error('The provider sent no ID token')
        // Everybody whom the provider knows may sign in. If that is more than your own users, check
        // here what tells them apart, such as `hd` of Google or `tid` of Microsoft.
        const profile = configuration.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : claims
        return {
          kind: 'signed-in',
          user: { id: userIdOf(name, claims.sub), ...verifiedEmail(profile) },
          amr: methodsOf(claims.amr),
          // A provider that does not say when the user signed in there may mean long ago. Then
          // every `maxAge` refuses, which is safer than now.
          authTime: claims.auth_time ?? 0,
        }
      } catch (error) {
        const isRefused = error instanceof oidc.AuthorizationResponseError
        return { kind: isRefused ? 'refused' : 'failed', error }
      }
    },
  }
}
