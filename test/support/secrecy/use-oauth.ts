import assert from 'node:assert/strict'
import type { Env } from '../environment.ts'
import { request } from '../raw-http.ts'
import type { RecordingClient } from './recording-client.ts'
import { addSecret, type Secrets } from './secrets.ts'
import type { Credentials } from './use-account.ts'

/** Introspects and revokes tokens as OAuth clients do, with right and with wrong requests. */
export async function useOauth(
  client: RecordingClient,
  env: Env,
  credentials: Credentials,
  secrets: Secrets,
) {
  const { submit, post, send } = client
  const { pair } = await post('/auth/login', credentials)
  const [id = '', secret = ''] = env.INTROSPECTION_CLIENTS?.split(':') ?? []
  const basic = (text: string) => {
    const encoded = Buffer.from(text).toString('base64')
    return { Authorization: `Basic ${addSecret(secrets, 'credentials', encoded)}` }
  }
  const right = basic(`${id}:${secret}`)
  for (const token of [pair.accessToken, pair.refreshToken]) {
    const asked = { token, token_type_hint: 'refresh_token' }
    assert.equal((await submit('/oauth/introspect', asked, right)).status, 200)
    assert.equal(
      (await submit('/oauth/introspect', { token }, basic(`${secret}:${id}`))).status,
      401,
    )
    assert.equal((await submit('/oauth/introspect', { [token]: token }, right)).status, 400)
    await submit('/oauth/revoke', { [token]: secret, client_secret: secret })
    await post('/oauth/revoke', { token })
    await send(request('POST', `/oauth/revoke?token=${token}`, right))
    await send(request('POST', `/oauth/introspect/${secret}?client_secret=${secret}`, right))
  }
  for (const token of [pair.accessToken, pair.refreshToken])
    assert.equal((await submit('/oauth/revoke', { token, client_secret: secret })).status, 200)
}
