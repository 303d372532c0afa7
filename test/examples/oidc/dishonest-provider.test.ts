import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { cleanUp } from '../../support/clean-up.ts'
import { CALLBACK, oidc } from '../../support/examples/oidc.ts'
import { makeJwt } from '../../support/forgeries.ts'
import { ROOT } from '../../support/services/sources.ts'

const CLIENT = 'example'

const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const [own, foreign] = [newKeys(), newKeys()]

interface Lies {
  metadata?: object
  header?: object
  claims?: object
  /** Those that sign ID tokens. */
  keys?: ReturnType<typeof newKeys>
}

/** Starts a provider that says of itself and of the user what the test tells it to. */
async function startProvider(t: TestContext, { metadata, claims, header, keys = own }: Lies) {
  const server = createServer()
  server.listen(0, 'localhost')
  await once(server, 'listening')
  cleanUp(t, async () => void server.close())
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  let nonce = ''
  const idToken = () => {
    const now = Math.floor(Date.now() / 1000)
    const honest = { iss: issuer, sub: 'ada', aud: CLIENT, iat: now, exp: now + 60, nonce }
    return makeJwt({ alg: 'RS256', kid: 'a', ...header }, { ...honest, ...claims }, (input) =>
      sign('sha256', Buffer.from(input), keys.privateKey),
    )
  }
  server.on('request', ({ url }, response) => {
    const token = { access_token: 'x', token_type: 'bearer', expires_in: 60 }
    const bodies: Record<string, () => object> = {
      '/token': () => ({ ...token, id_token: idToken() }),
      '/jwks': () => ({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'a' }] }),
    }
    const wellKnown = () => ({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      ...metadata,
    })
    const body = (bodies[url ?? ''] ?? wellKnown)()
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
  const expectNonce = (value: string) => {
    nonce = value
  }
  return { issuer: new URL(issuer), expectNonce }
}

/** Signs in, and returns how it ends. */
async function signInAt(t: TestContext, lies: Lies = {}): Promise<string> {
  const { issuer, expectNonce } = await startProvider(t, lies)
  const module = pathToFileURL(join(ROOT, 'examples/oidc/openid-client.ts')).href
  const { createOpenIdClient } = await import(module)
  const client = createOpenIdClient({
    name: 'corp',
    issuer,
    clientId: CLIENT,
    clientSecret: 'a secret of the client',
    callback: new URL(CALLBACK),
  })
  const { attempt } = await client.begin()
  expectNonce(attempt.nonce)
  const outcome = await client.finish(`?code=a-code&state=${attempt.state}`, attempt)
  return outcome.kind
}

oidc.test('an ID token for another client, issuer or attempt signs nobody in', async (t) => {
  assert.equal(await signInAt(t), 'signed-in')
  for (const claims of [
    { aud: 'another client' },
    { aud: undefined },
    { iss: 'https://other.example.com' },
    { nonce: 'that of another attempt' },
    { nonce: undefined },
    { exp: 1_700_000_000 },
    { sub: undefined },
  ])
    assert.equal(await signInAt(t, { claims }), 'failed', JSON.stringify(claims))
})

oidc.test('metadata of another issuer are refused', async (t) => {
  const other = { issuer: 'https://other.example.com' }
  await assert.rejects(signInAt(t, { metadata: other, claims: { iss: other.issuer } }))
})

oidc.test('an ID token that the provider has not signed is refused', async (t) => {
  assert.equal(await signInAt(t, { keys: foreign }), 'failed')
  for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { kid: 'unknown' }])
    assert.equal(await signInAt(t, { header }), 'failed', JSON.stringify(header))
})
