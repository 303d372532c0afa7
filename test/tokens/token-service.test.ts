import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as uuid } from 'uuid'
import { watchClock } from '../../src/common/clocks.ts'
import type { JwtCodec } from '../../src/keys/jwt.ts'
import { createLocalFeed } from '../../src/revocation/revocation-feed.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createMemoryStore } from '../../src/sessions/memory-store.ts'
import type { LiveSession } from '../../src/sessions/session-records.ts'
import type { SessionStore } from '../../src/sessions/session-store.ts'
import { createAccessTokens } from '../../src/tokens/access-token.ts'
import { createRefreshTokens } from '../../src/tokens/refresh-token.ts'
import { createTokenService } from '../../src/tokens/token-service.ts'
import { createClock } from '../support/clock.ts'
import { SETTINGS } from '../support/sessions/stores.ts'

/** Signatures do not matter here. */
const jwt: JwtCodec = {
  sign: (claims) => JSON.stringify(claims),
  verify: (token) => JSON.parse(token),
}
const DEVICE = { ip: '127.0.0.1', userAgent: undefined }

/**
 * Returns a refresh of a live session that the hot state does not know. The hot state loses the
 * session again after each of the first re-openings, as many as `losses`.
 */
function setUp(losses: number) {
  const clock = createClock()
  const memory = createMemoryStore(SETTINGS, watchClock(clock))
  let reopenings = 0
  const store: SessionStore = {
    ...memory,
    async open(session) {
      const result = await memory.open(session)
      if (++reopenings <= losses) await memory.close(session.userId, session.sessionId)
      return result
    },
  }
  const [userId, sessionId, now] = [uuid(), uuid(), clock()]
  const revocations = createRevocations(() => SETTINGS.refreshIdleTtl, clock)
  const expiresAt = now + SETTINGS.refreshIdleTtl
  const live: LiveSession = { userId, generation: 1, expiresAt, ver: 1, roles: [] }
  const settings = { issuer: 'https://auth.example.com', audience: 'api', accessTokenTtl: 900_000 }
  const refreshTokens = createRefreshTokens(jwt, settings)
  const service = createTokenService({
    accessTokens: createAccessTokens(jwt, settings),
    refreshTokens,
    store,
    records: {
      async withLiveSession(_id, _at, work) {
        await work(live)
        return true
      },
      find: async () => live,
    },
    checkpoints: { note() {} },
    revoker: {
      announceRevoked: async () => {},
      settleVersion: async () => {},
      revokeForReuse: async () => {},
    },
    cap: { enforce: async () => {} },
    revocations,
    feed: createLocalFeed(revocations, async function* () {}),
    revocationMaxStaleness: 2_000,
    onRefresh() {},
    onEvent() {},
    clock,
    log: { debug() {}, info() {}, warn() {} },
  })
  const current = { generation: 1, rotatedAt: now, expiresAt }
  const constants = { authTime: Math.floor(now / 1000), amr: ['pwd'] }
  const subject = { userId, sessionId, constants, currentToken: current }
  const { token } = refreshTokens.issue(subject, now)
  return () => service.refresh(token, undefined, DEVICE)
}

test('A session that is lost again during its re-opening is served all the same', async () => {
  const refresh = setUp(2)
  assert.ok((await refresh()).refreshToken)
})

test('A live session that is lost at every re-opening gets a 503, never a 401', async () => {
  const refresh = setUp(100)
  await assert.rejects(refresh, { code: 'AUTH_UNAVAILABLE', statusCode: 503 })
})
