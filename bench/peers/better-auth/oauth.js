import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { oauthProvider } from '@better-auth/oauth-provider'
import { jwt } from 'better-auth/plugins'
import { createApp, start } from './app.js'
import { createAuth, pool } from './auth.js'
import { addUsers, openSessions } from './sessions.js'

const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000
const SCOPES = ['offline_access']

const trusted = new Set()

/**
 * The refresh of better-auth is the refresh_token grant of its OAuth provider, here for a
 * first-party public client. The plugin requires sessions in the database too. It stores its tokens
 * there in any case. Access tokens are opaque, because no resource binds them. There is no ID token
 * to sign, because the scope openid is missing.
 */
const auth = await createAuth({
  disabledPaths: ['/token'],
  session: { storeSessionInDatabase: true },
  plugins: [
    // The documentation recommends this for an OAuth server. It turns off the header that the
    // plugin adds to session responses.
    jwt({ disableSettingJwtHeader: true }),
    oauthProvider({
      loginPage: '/sign-in',
      consentPage: '/consent',
      accessTokenExpiresIn: 15 * 60,
      refreshTokenExpiresIn: LIFETIME_MS / 1000,
      cachedTrustedClients: trusted,
    }),
  ],
})

const [operator] = await openSessions(auth, await addUsers(1))
const { client_id: clientId } = await auth.api.adminCreateOAuthClient({
  headers: new Headers(operator.authenticate.headers),
  body: {
    client_name: 'app',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['https://app.example.com/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    scope: SCOPES.join(' '),
    skip_consent: true,
  },
})
trusted.add(clientId)

/** Inserts the rows of the sessions, because the tokens refer to them. */
async function addSessions(sessions) {
  await pool.query(
    `INSERT INTO session (id, token, "userId", "createdAt", "updatedAt", "expiresAt")
     SELECT id, token, "user", now(), now(), $1
     FROM unnest($2::text[], $3::text[], $4::text[]) AS new (id, token, "user")`,
    [
      sessions[0].expiresAt,
      sessions.map(({ id }) => id),
      sessions.map(({ token }) => token),
      sessions.map(({ userId }) => userId),
    ],
  )
}

/** Inserts what the plugin would store at the end of the authorization code flow. */
async function addRefreshTokens(sessions) {
  const tokens = sessions.map(() => randomBytes(24).toString('base64url'))
  await pool.query(
    `INSERT INTO "oauthRefreshToken"
       (id, token, "clientId", "sessionId", "userId", scopes, "createdAt", "expiresAt", "authTime")
     SELECT id, token, $1, session, "user", $2, now(), $3, now()
     FROM unnest($4::text[], $5::text[], $6::text[], $7::text[])
       AS new (id, token, session, "user")`,
    [
      clientId,
      JSON.stringify(SCOPES),
      new Date(Date.now() + LIFETIME_MS),
      tokens.map(() => randomUUID()),
      tokens.map((token) => createHash('sha256').update(token).digest('base64url')),
      sessions.map(({ id }) => id),
      sessions.map(({ userId }) => userId),
    ],
  )
  return tokens
}

await start(createApp(auth), async (count) => {
  const opened = await openSessions(auth, await addUsers(count))
  const sessions = opened.map(({ session }) => session)
  await addSessions(sessions)
  const tokens = await addRefreshTokens(sessions)
  return opened.map(({ authenticate, revoke }, index) => ({
    authenticate,
    revoke,
    refresh: {
      method: 'POST',
      path: '/api/auth/oauth2/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=refresh_token&client_id=${clientId}&refresh_token={token}`,
      token: tokens[index],
      field: 'refresh_token',
    },
  }))
})
