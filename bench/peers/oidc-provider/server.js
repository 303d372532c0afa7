import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { Provider } from 'oidc-provider'
import { announce, host, newSecret, port } from '../common/environment.js'
import { mapInBatches } from '../common/seed.js'
import { openUsers } from '../common/users.js'
import { RedisAdapter } from './adapter.js'

const SCOPE = 'offline_access'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const users = await openUsers()
const apiSecret = newSecret()
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const provider = new Provider('https://auth.example.com', {
  adapter: RedisAdapter,
  // This key signs ID tokens. None are issued here, because the scope openid is missing.
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [newSecret()] },
  clients: [
    {
      // The single-page app is a public client, so its refresh token is rotated at each use.
      client_id: 'app',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['https://app.example.com/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
    {
      // The API behind the app introspects the tokens that it receives.
      client_id: 'api',
      client_secret: apiSecret,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_ctx, client) => client.clientId === 'api' },
    revocation: { enabled: true },
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AccessToken: 15 * 60, RefreshToken: 7 * 24 * 60 * 60, Grant: 7 * 24 * 60 * 60 },
  async findAccount(_ctx, id) {
    const user = await users.find(id)
    return user && { accountId: id, claims: () => ({ sub: id, roles: user.roles }) }
  },
})

/** Creates the tokens that follow a login and a consent, with the provider's own models. */
async function login(accountId) {
  const client = await provider.Client.find('app')
  const grant = new provider.Grant({ accountId, clientId: client.clientId })
  grant.addOIDCScope(SCOPE)
  const grantId = await grant.save()
  const common = { accountId, client, grantId, scope: SCOPE, gty: 'authorization_code' }
  const [accessToken, refreshToken] = await Promise.all([
    new provider.AccessToken(common).save(),
    new provider.RefreshToken({ ...common, authTime: Math.floor(Date.now() / 1000) }).save(),
  ])
  return { accessToken, refreshToken }
}

async function seed(count) {
  const authorization = `Basic ${Buffer.from(`api:${apiSecret}`).toString('base64')}`
  return mapInBatches(await users.add(count), async (id) => {
    const { accessToken, refreshToken } = await login(id)
    return {
      authenticate: {
        method: 'POST',
        path: '/token/introspection',
        headers: { ...FORM, authorization },
        body: `token=${accessToken}`,
      },
      revoke: {
        method: 'POST',
        path: '/token/revocation',
        headers: FORM,
        body: `client_id=app&token=${accessToken}`,
      },
      refresh: {
        method: 'POST',
        path: '/token',
        headers: FORM,
        body: 'grant_type=refresh_token&client_id=app&refresh_token={token}',
        token: refreshToken,
        field: 'refresh_token',
      },
    }
  })
}

const handle = provider.callback()
const server = createServer(async (request, response) => {
  if (request.url !== '/bench/seed') return handle(request, response)
  const { count } = await json(request)
  response.setHeader('content-type', 'application/json').end(JSON.stringify(await seed(count)))
})
server.listen(port, host, () => announce(server))
