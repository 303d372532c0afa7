import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import type { JwtCodec } from '../../src/keys/jwt.ts'
import { createLocalFeed } from '../../src/revocation/revocation-feed.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createMemoryStore } from '../../src/sessions/memory-store.ts'
import type { NewSession, SessionStore } from '../../src/sessions/session-store.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { createRefreshTokens } from '../../src/tokens/refresh-token.ts'
import { createTokenService } from '../../src/tokens/token-service.ts'
import { createClock } from '../support/helper.ts'
import { SETTINGS } from '../support/sessions/stores.ts'

/** What is signed does not matter here. */
const jwt: JwtCodec = {
  sign: (claims) => JSON.stringify(claims),
  verify: (token) => JSON.parse(token),
}
const DEVICE = { ip: '127.0.0.1', userAgent: undefined }

/** A service whose hot state forgets a session so many times just after it was opened again. */
async function setUp(losses: number) {
  const clock = createClock()
  const memory = createMemoryStore(SETTINGS, clock)
  let opened = 0
  const store: SessionStore = {
    ...memory,
    async open(session: NewSession) {
      const answer = await memory.open(session)
      // The first is the login.
      if (opened++ > 0 && opened <= losses + 1)
        await memory.close(session.userId, session.sessionId)
      return answer
    },
  }
  const user = { id: uuid(), ver: 1, roles: [] }
  const revocations = createRevocations(SETTINGS.refreshIdleTtl, clock)
  const alive = {
    userId: user.id,
    generation: 1,
    expiresAt: clock() + SETTINGS.refreshIdleTtl,
    ver: 1,
    roles: [],
  }
  const settings = { issuer: 'https://auth.example.com', audience: 'api', accessTokenTtl: 900_000 }
  const service = createTokenService({
    accessTokens: createAccessTokens(jwt, settings),
    refreshTokens: createRefreshTokens(jwt, settings),
    store,
    records: {
      insert: async () => true,
      whileAlive: async (
        _id: string,
        _at: number,
        work: (session: typeof alive) => Promise<unknown>,
      ) => {
        await work(alive)
        return true
      },
    } as never,
    checkpoints: { note() {} } as never,
    revoker: {} as never,
    revocations,
    feed: createLocalFeed(revocations, async () => []),
    revocationMaxStaleness: 2_000,
    sessionMaxTtl: SETTINGS.refreshIdleTtl,
    onRefresh() {},
    clock,
    log: { debug() {}, info() {}, warn() {} },
  })
  const { refreshToken, sessionId } = await service.open(user, DEVICE)
  await memory.close(user.id, sessionId)
  return () => service.refresh(refreshToken, undefined, DEVICE)
}

test('a session that is lost again while it is being opened again goes on all the same', async () => {
  const refresh = await setUp(2)
  assert.ok((await refresh()).refreshToken)
})

test('a live session that is lost again and again is 503, never 401', async () => {
  const refresh = await setUp(100)
  await assert.rejects(refresh, { code: 'AUTH_UNAVAILABLE', statusCode: 503 })
})
