import type { Change } from '../support/services/sources.ts'
import { prepareSources } from '../support/services/sources.ts'
import { type Break, FORGETFUL } from './break.ts'
import { OUTBOX_BREAKS } from './outbox-breaks.ts'
import { scenarios } from './scenarios.ts'
import { STORE_BREAKS } from './store-breaks.ts'
import { runTrial, type Trial } from './trial.ts'

/** Widens a race window of a millisecond, so that a short run hits it. */
const WIDE = 'await new Promise((resolve) => setTimeout(resolve, 800 * Math.random()))'

/** A revocation stays unpublished for a while after its commit in Postgres. */
const SLOW_REVOCATION: Change = {
  file: 'src/revocation/revoker.ts',
  text: 'await publishAll(sessions.map',
  by: 'await new Promise((resolve) => setTimeout(resolve, 1_000))\n      await publishAll(sessions.map',
}

export const BREAKS: readonly Break[] = [
  {
    name: 'skip the feed',
    fault: 'none',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/revocation/stream-follower.ts',
        text: 'if (revocation) known.add(revocation, { age: now - at, isPublished: true })',
        by: 'void [revocation, now, at]',
      },
    ],
  },
  {
    name: 'check, then set, instead of the script',
    fault: 'none',
    shows: 'forks',
    changes: [
      {
        file: 'src/sessions/redis-store.ts',
        text: 'const reply = parseRotationReply(',
        by: `const field = idBytes(sessionId)
      const seen = await awaitReply(redis.hgetBuffer(key, field))
      ${WIDE}
      if (seen) await awaitReply(redis.hset(key, field, seen))
      const reply = parseRotationReply(`,
      },
    ],
  },
  {
    name: 'drop the sweep',
    fault: 'server-gone',
    shows: 'revokedAccepted',
    changes: [
      SLOW_REVOCATION,
      {
        file: 'src/revocation/revoker.ts',
        text: 'if (unpublished.length === 0) return',
        by: 'return',
      },
    ],
  },
  {
    name: 'no healing',
    fault: 'redis-failover',
    shows: 'honestLogouts',
    changes: [
      {
        file: 'src/sessions/lua/rotate.lua',
        text: 'if presented >= generation then',
        by: 'if presented == generation then',
      },
      {
        file: 'src/sessions/lua/open.lua',
        text: 'or generation >= first then',
        by: 'or true then',
      },
    ],
  },
  {
    name: 're-open sessions that have ended',
    fault: 'redis-flush',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/sessions/session-records.ts',
        text: ".where(and(notRevoked([id]), mayBeLive(at)))\n            .for('share')",
        by: '.where(eq(sessions.id, id))',
      },
      FORGETFUL,
    ],
  },
  {
    name: 'trust data from before a fail-over',
    fault: 'redis-failover',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/sessions/lua/rotate.lua',
        text: "if era ~= current_era then return 'unknown' end",
        by: '',
      },
      FORGETFUL,
    ],
  },
  {
    name: 'no end of the grace period',
    fault: 'none',
    shows: 'bothServed',
    changes: [
      {
        file: 'src/sessions/lua/rotate.lua',
        text: 'if elapsed <= grace then',
        by: 'if true then',
      },
    ],
  },
  {
    name: 'no retry key',
    fault: 'none',
    shows: 'honestLogouts',
    changes: [
      {
        file: 'src/sessions/lua/rotate.lua',
        text: "if stored_key ~= NO_RETRY_KEY and stored_key == retry_key then return accept('replayed') end",
        by: '',
      },
    ],
  },
  ...STORE_BREAKS,
  ...OUTBOX_BREAKS,
]

/** Milliseconds after which a break that did not show counts as overlooked. */
const LIMIT = 120_000

/**
 * Returns the breaks with these names, or all if none is given. Throws if there is no such break.
 */
export function breaksNamed(names: readonly string[] = BREAKS.map(({ name }) => name)): Break[] {
  return names.map((name) => {
    const found = BREAKS.find((broken) => broken.name === name)
    if (!found)
      throw new Error(
        `There is no break '${name}', only ${BREAKS.map((one) => one.name).join('; ')}`,
      )
    return found
  })
}

/** Runs a trial of a system that is broken in this way. It ends as soon as the violation shows. */
export async function runBreak(
  { fault, topology = 'single', shows, changes }: Break,
  seed: number,
): Promise<Trial & { took: number }> {
  const [scenario] = scenarios([topology], [fault])
  if (!scenario) throw new Error(`There is no fault ${fault} with ${topology}`)
  const { dist, remove } = await prepareSources(changes)
  const begun = performance.now()
  try {
    const trial = await runTrial({
      dist,
      ...scenario,
      duration: LIMIT,
      seed,
      people: 60,
      isEnough: ({ violations }) => violations[shows].length > 0,
    })
    return { ...trial, took: performance.now() - begun }
  } finally {
    await remove()
  }
}
