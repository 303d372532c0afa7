import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { RotationResult, SessionStore } from '../../../src/sessions/session-store.ts'
import { createClock } from '../clock.ts'
import { type CreateStore, SETTINGS } from './stores.ts'

const HOUR = 3_600_000
const START = 1_800_000_000_000
/** The absolute expiry of a session that is opened in the first second. */
const EXPIRY = START + 10 * HOUR
const KEY_A = '0011223344aa'
const KEY_B = '0011223344bb'

/** Registers the tests that every implementation of the interface must pass. */
export function testStore(name: string, create: CreateStore): void {
  const conforms = (
    behaviour: string,
    check: (setting: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
  ) => test(`The ${name} store: ${behaviour}`, async (t) => check(await setUp(t)))

  async function setUp(t: TestContext) {
    const clock = createClock(START)
    const store: SessionStore = await create(t, clock)
    const userId = randomUUID()
    const open = async (ver = 1, roles: string[] = []) => {
      const sessionId = randomUUID()
      const absoluteExpiry = clock() + 10 * HOUR
      return {
        sessionId,
        ...(await store.open({
          userId,
          sessionId,
          absoluteExpiry,
          authorization: { ver, roles },
          generation: 1,
          retryKey: null,
        })),
      }
    }
    const { sessionId } = await open()
    const present = (generation: number, retryKey: string | null = null) =>
      store.rotate(userId, sessionId, { generation, retryKey })
    /** Presents a token, and re-opens the session if the store does not know it. */
    const refresh = async (generation: number, retryKey: string | null = null) => {
      const result = await present(generation, retryKey)
      if (result.outcome !== 'unknown') return result
      const absoluteExpiry = clock() + 10 * HOUR
      const session = { userId, sessionId, absoluteExpiry, generation, retryKey: null }
      await store.open({ ...session, authorization: { ver: 1, roles: [] } })
      return present(generation, retryKey)
    }
    return { clock, store, userId, sessionId, open, present, refresh }
  }

  conforms(
    'a session starts at generation 1, and each rotation adds 1',
    async ({ clock, open, present }) => {
      const { currentToken } = await open()
      assert.deepEqual(currentToken, {
        generation: 1,
        rotatedAt: clock(),
        expiresAt: clock() + SETTINGS.refreshIdleTtl,
      })
      assert.equal(generationOf(await present(1)), 2)
      clock.advance(1_000)
      const result = await present(2)
      assert.deepEqual(result, {
        outcome: 'rotated',
        currentToken: {
          generation: 3,
          rotatedAt: clock(),
          expiresAt: clock() + SETTINGS.refreshIdleTtl,
        },
        authorization: { ver: 1, roles: [] },
        now: clock(),
      })
    },
  )

  conforms('a spent token within the grace gets the same successor', async ({ clock, present }) => {
    const first = await present(1)
    clock.advance(SETTINGS.grace)
    const again = await present(1)
    assert.equal(again.outcome, 'replayed')
    assert.deepEqual(currentTokenOf(again), currentTokenOf(first))
  })

  conforms('a spent token after the grace condemns the session for everybody', async (s) => {
    await s.present(1)
    s.clock.advance(SETTINGS.grace + 1)
    assert.deepEqual(await s.present(1), {
      outcome: 'reused',
      currentGeneration: 2,
      now: s.clock(),
    })
    assert.equal((await s.present(2)).outcome, 'reused')
    assert.equal(await s.store.find(s.userId, s.sessionId), 'condemned')
    await s.store.close(s.userId, s.sessionId)
    assert.equal((await s.present(2)).outcome, 'unknown')
  })

  conforms(
    'a token two generations old condemns the session even within the grace',
    async ({ present }) => {
      await present(1)
      await present(2)
      assert.deepEqual((await present(1)).outcome, 'reused')
    },
  )

  conforms(
    'the retry key repairs a lost response however late, and no other key does',
    async (s) => {
      const first = await s.present(1, KEY_A)
      s.clock.advance(SETTINGS.refreshIdleTtl - 1)
      const late = await s.present(1, KEY_A)
      assert.equal(late.outcome, 'replayed')
      assert.deepEqual(currentTokenOf(late), currentTokenOf(first))
      assert.equal((await s.present(1, KEY_B)).outcome, 'reused')
    },
  )

  conforms(
    'the key of a second tab is stored if the first tab sent none',
    async ({ clock, present }) => {
      await present(1)
      assert.equal((await present(1, KEY_A)).outcome, 'replayed')
      assert.equal((await present(1, KEY_B)).outcome, 'replayed')
      clock.advance(SETTINGS.grace + 1)
      assert.equal((await present(1, KEY_A)).outcome, 'replayed')
      assert.equal((await present(1, KEY_B)).outcome, 'reused')
    },
  )

  conforms('the next rotation removes the key', async ({ clock, present }) => {
    await present(1, KEY_A)
    await present(2)
    clock.advance(SETTINGS.grace + 1)
    assert.equal((await present(1, KEY_A)).outcome, 'reused')
  })

  conforms('a generation ahead of the store heals the session', async ({ present }) => {
    const healed = await present(7)
    assert.equal(healed.outcome, 'healed')
    assert.equal(generationOf(healed), 8)
    assert.equal(generationOf(await present(8)), 9)
  })

  conforms(
    'a session expires when it is idle, and a refresh extends its life',
    async ({ clock, present }) => {
      clock.advance(SETTINGS.refreshIdleTtl - 1)
      assert.equal((await present(1)).outcome, 'rotated')
      clock.advance(SETTINGS.refreshIdleTtl)
      assert.equal((await present(2)).outcome, 'expired')
      assert.equal((await present(2)).outcome, 'unknown')
    },
  )

  conforms('no refresh extends a session past its absolute expiry', async ({ clock, present }) => {
    for (let generation = 1; generation < 20; generation++) {
      assert.equal((await present(generation)).outcome, 'rotated')
      clock.advance(HOUR / 2)
    }
    const last = await present(20)
    assert.deepEqual(currentTokenOf(last)?.expiresAt, clock() + HOUR / 2)
    clock.advance(HOUR / 2)
    assert.equal((await present(21)).outcome, 'expired')
  })

  conforms(
    'after the clock was set back, a spent token is served for one grace and no longer',
    async ({ clock, refresh }) => {
      clock.advance(HOUR / 2)
      const first = await refresh(1)
      clock.advance(-HOUR / 2)
      assert.deepEqual(currentTokenOf(await refresh(1)), currentTokenOf(first))
      clock.advance(SETTINGS.grace)
      assert.deepEqual(currentTokenOf(await refresh(1)), currentTokenOf(first))
      clock.advance(1)
      assert.equal((await refresh(1)).outcome, 'reused')
    },
  )

  conforms(
    'after the clock was set back, the times of a session do not run backwards',
    async ({ clock, refresh }) => {
      clock.advance(HOUR / 2)
      const first = currentTokenOf(await refresh(1))
      clock.advance(-HOUR / 2)
      assert.deepEqual(currentTokenOf(await refresh(2)), { ...first, generation: 3 })
      clock.advance(SETTINGS.grace)
      assert.equal((await refresh(2)).outcome, 'replayed')
      clock.advance(1)
      assert.equal((await refresh(2, KEY_A)).outcome, 'reused')
    },
  )

  conforms(
    'a session whose time is ahead of the clock joins the time of the clock again',
    async ({ clock, refresh }) => {
      clock.advance(HOUR / 4)
      await refresh(1)
      clock.advance(-HOUR / 4)
      assert.equal((await refresh(2)).outcome, 'rotated')
      clock.advance(HOUR / 2)
      assert.equal(currentTokenOf(await refresh(3))?.rotatedAt, clock())
      clock.advance(SETTINGS.grace)
      assert.equal((await refresh(3)).outcome, 'replayed')
      clock.advance(1)
      assert.equal((await refresh(3)).outcome, 'reused')
    },
  )

  conforms(
    'a clock that was set back makes an earlier rotation recent only once',
    async ({ clock, refresh }) => {
      clock.advance(HOUR / 2)
      await refresh(1)
      clock.advance(-HOUR / 2)
      const other = await refresh(1, KEY_A)
      assert.equal(other.outcome, 'replayed')
      // The clock reaches the time of the rotation once more.
      clock.advance(HOUR / 2)
      assert.equal((await refresh(1, KEY_B)).outcome, 'reused')
    },
  )

  conforms(
    'a correction of the clock that is too small to be noticed ends no grace',
    async ({ clock, present }) => {
      clock.advance(HOUR)
      clock.advance(-1)
      await present(1)
      clock.advance(-999)
      assert.equal((await present(1)).outcome, 'replayed')
    },
  )

  conforms('the absolute expiry is in whole seconds', async ({ clock, store, userId }) => {
    const { currentToken } = await store.open({
      userId,
      sessionId: randomUUID(),
      absoluteExpiry: clock() + 60_999,
      authorization: { ver: 1, roles: [] },
      generation: 1,
      retryKey: null,
    })
    assert.equal(currentToken.expiresAt, clock() + 60_000)
  })

  conforms(
    'one session above the cap evicts the least recently used',
    async ({ clock, store, userId, sessionId, open, present }) => {
      clock.advance(1)
      const second = await open()
      clock.advance(1)
      await open()
      clock.advance(1)
      assert.equal((await present(1)).outcome, 'rotated')
      clock.advance(1)
      assert.deepEqual((await open()).evicted, [second.sessionId])
      assert.equal(await store.find(userId, second.sessionId), undefined)
      assert.deepEqual(await store.find(userId, sessionId), {
        ver: 1,
        roles: [],
        generation: 2,
        absoluteExpiry: EXPIRY,
      })
    },
  )

  conforms(
    'expired and condemned sessions do not count towards the cap',
    async ({ clock, open, present }) => {
      await present(1)
      clock.advance(SETTINGS.grace + 1)
      assert.equal((await present(1)).outcome, 'reused')
      for (let i = 0; i < SETTINGS.maxSessionsPerUser; i++)
        assert.deepEqual((await open()).evicted, [])
      clock.advance(SETTINGS.refreshIdleTtl)
      for (let i = 0; i < SETTINGS.maxSessionsPerUser; i++)
        assert.deepEqual((await open()).evicted, [])
    },
  )

  conforms(
    'an older authorization does not replace a newer one, and every session gets the newer',
    async (s) => {
      await s.open(3, ['admin', 'staff'])
      assert.deepEqual((await s.open(2, ['stale'])).authorization, {
        ver: 3,
        roles: ['admin', 'staff'],
      })
      const result = await s.present(1)
      assert.deepEqual('authorization' in result && result.authorization, {
        ver: 3,
        roles: ['admin', 'staff'],
      })
      assert.deepEqual(await s.store.find(s.userId, s.sessionId), {
        ver: 3,
        roles: ['admin', 'staff'],
        generation: 2,
        absoluteExpiry: EXPIRY,
      })
    },
  )

  conforms(
    'closing is idempotent and leaves the other sessions alone',
    async ({ store, userId, sessionId, open, present }) => {
      const other = await open()
      await store.close(userId, sessionId)
      await store.close(userId, sessionId)
      assert.equal(await store.find(userId, sessionId), undefined)
      assert.equal((await present(1)).outcome, 'unknown')
      assert.deepEqual(await store.find(userId, other.sessionId), {
        ver: 1,
        roles: [],
        generation: 1,
        absoluteExpiry: EXPIRY,
      })
      await store.close(userId, other.sessionId)
      assert.equal(await store.find(userId, other.sessionId), undefined)
    },
  )

  conforms(
    'all sessions of a user are closed in one call, or all but one',
    async ({ store, userId, open }) => {
      const [one, other] = [await open(), await open()]
      await store.closeAll(userId, one.sessionId)
      assert.deepEqual(await store.find(userId, one.sessionId), {
        ver: 1,
        roles: [],
        generation: 1,
        absoluteExpiry: EXPIRY,
      })
      assert.equal(await store.find(userId, other.sessionId), undefined)
      await store.closeAll(userId)
      await store.closeAll(userId)
      assert.equal(await store.find(userId, one.sessionId), undefined)
      await open()
      await store.closeAll(userId, randomUUID())
      assert.equal((await open(1, ['new'])).authorization.roles[0], 'new')
    },
  )

  conforms('the next rotation gets a changed authorization, but not an older one', async (s) => {
    await s.store.setAuthorization(s.userId, { ver: 3, roles: ['editor'] })
    await s.store.setAuthorization(s.userId, { ver: 2, roles: ['admin'] })
    const result = await s.present(1)
    assert.deepEqual('authorization' in result && result.authorization, {
      ver: 3,
      roles: ['editor'],
    })
    const stranger = randomUUID()
    await s.store.setAuthorization(stranger, { ver: 9, roles: [] })
    assert.equal(
      (await s.store.rotate(stranger, s.sessionId, { generation: 1, retryKey: null })).outcome,
      'unknown',
    )
  })

  conforms('after forgetAll every session is unknown and can be re-opened', async (s) => {
    await s.present(1)
    await s.store.forgetAll()
    assert.equal((await s.present(2)).outcome, 'unknown')
    assert.equal(await s.store.find(s.userId, s.sessionId), undefined)
    const again = {
      userId: s.userId,
      sessionId: s.sessionId,
      absoluteExpiry: s.clock() + HOUR,
      authorization: { ver: 1, roles: [] },
      generation: 2,
      retryKey: null,
    }
    assert.equal((await s.store.open(again)).currentToken.generation, 2)
    assert.equal(generationOf(await s.present(2)), 3)
  })
}

function currentTokenOf(result: RotationResult) {
  return 'currentToken' in result ? result.currentToken : undefined
}

function generationOf(result: RotationResult) {
  return currentTokenOf(result)?.generation
}
