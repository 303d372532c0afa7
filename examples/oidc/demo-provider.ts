import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AccountClaims, Provider } from 'oidc-provider'

/**
 * Starts an OpenID provider on this machine, for a look. It lets everybody in: any name is a user,
 * with any password. It keeps everything in memory and ends with the process.
 *
 * @param claimsOf Returns what the provider knows about a user.
 */
export async function startDemoProvider(
  callback: URL,
  claimsOf = (sub: string): AccountClaims => ({
    sub,
    email: `${sub}@example.com`,
    email_verified: true,
  }),
) {
  const server = createServer()
  server.listen(0, 'localhost')
  await once(server, 'listening')
  // It does not keep the process alive that it runs in.
  server.unref()
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const client = { clientId: 'example', clientSecret: randomBytes(32).toString('base64url') }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        token_endpoint_auth_method: 'client_secret_post',
        redirect_uris: [callback.href],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => claimsOf(sub) }),
    cookies: { keys: [randomBytes(32).toString('base64url')] },
  })
  server.on('request', provider.callback())
  return { name: 'demo', issuer: new URL(issuer), ...client }
}
