import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/client/index.ts'
import { createModelServer } from '../support/client/model-server.ts'
import { createProfile } from '../support/client/simulated-profile.ts'
import { createRandom, createVirtualTime } from '../support/client/virtual-time.ts'

const SEEDS = Number(process.env.CLIENT_SEEDS ?? 2_000)
const FIRST_SEED = Number(process.env.CLIENT_FIRST_SEED ?? 0)
const MINUTE = 60_000
const USERS = ['ada', 'bob']

/** Plays one random history of a browser profile. Returns what went wrong. */
async function play(seed: number): Promise<string[]> {
  const random = createRandom(seed)
  const time = createVirtualTime()
  const server = createModelServer(time.now)
  const profile = createProfile(time, random, server)
  profile.skew = random.below(20 * MINUTE) - 10 * MINUTE
  const { mistakes } = profile
  const byStorage = random.chance(0.4)
  let wasFrozen = false

  function open() {
    const tab = profile.openTab()
    const { platform } = tab
    const storage = platform.localStorage
    const client = createClient({
      baseUrl: '/',
      platform,
      ...(byStorage && storage && { storage }),
    })
    let known: string | undefined
    client.onChange(({ sessionId }) => {
      known = sessionId ?? ''
    })
    const calledFor = () => {
      const id = client.sessionId
      return id ? (server.userOfSession(id) ?? 'nobody') : known === '' ? 'nobody' : 'unknown'
    }
    const post = () =>
      client.fetch('https://app.example.com/api/notes', {
        method: 'POST',
        body: '{}',
        headers: { 'x-called-for': calledFor() },
      })
    return { tab, client, post }
  }

  const tabs = [open(), open(), open()]
  /** Does something random in a random tab, as a user or a browser does. */
  function act(): void {
    const index = random.below(tabs.length)
    const { tab, client, post } = tabs[index] ?? assert.fail()
    const ignore = () => {}
    const actions: [number, () => void][] = [
      [8, () => void post().catch(ignore)],
      [3, () => void client.login({ email: random.pick(USERS), password: '' }).catch(ignore)],
      [2, () => void client.logout().catch(ignore)],
      [2, () => void client.token().catch(ignore)],
      [1, () => void client.refresh().catch(ignore)],
      [
        1,
        () => {
          tab.kill()
          tabs[index] = open()
        },
      ],
      [
        1,
        () => {
          wasFrozen = true
          tab.freeze()
          time.after(random.below(2 * MINUTE), () => tab.thaw())
        },
      ],
      [
        1,
        () => {
          profile.isOffline = true
          time.after(random.below(MINUTE / 2), () => {
            profile.isOffline = false
          })
        },
      ],
      [
        1,
        () => {
          profile.skew = random.below(20 * MINUTE) - 10 * MINUTE
        },
      ],
    ]
    const action = random.pick(actions.flatMap(([weight, action]) => Array(weight).fill(action)))
    tab.run(action)
  }

  let at = 0
  for (let round = 0; round < 30; round++) {
    at += random.below(random.chance(0.2) ? 16 * MINUTE : 4_000)
    time.after(at, act)
  }
  await time.run()

  // The network works again. A session that both sides consider live must be usable.
  profile.isFaulty = false
  profile.isOffline = false
  for (const { tab, client } of tabs) {
    tab.thaw()
    const id = client.sessionId
    if (!id || !server.sessions.get(id)?.isLive) continue
    client.token().then(
      (token) => {
        if (!token) mistakes.push('a live session gives no token')
      },
      (error) => mistakes.push(`a live session fails: ${error}`),
    )
  }
  await time.run()
  if (profile.maxRefreshing > 1 && !wasFrozen) mistakes.push('two refreshes at a time')
  if (server.reuses() > 0) mistakes.push('an honest client was taken for a thief')
  return mistakes
}

test('in random histories no request is sent as another user, and nobody is signed out', async (t) => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    // The pauses between retries are random, too.
    t.mock.method(Math, 'random', createRandom(seed).next)
    assert.deepEqual(await play(seed), [], `CLIENT_FIRST_SEED=${seed} CLIENT_SEEDS=1`)
    assert.deepEqual(unhandled, [], `CLIENT_FIRST_SEED=${seed} CLIENT_SEEDS=1`)
  }
})
