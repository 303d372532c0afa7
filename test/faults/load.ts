import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { createCalls } from './calls.ts'
import { createHonestClient, type HonestClient } from './honest-client.ts'
import { createPauses } from './pauses.ts'
import type { Random } from './random.ts'
import type { Event } from './record.ts'
import { MAX_STALENESS, type System } from './system.ts'
import { steal } from './thief.ts'
import type { RedisServers } from './topology.ts'

/** Milliseconds for which the tokens of a session are still tried after its end. */
const PROBED_FOR = 13_000
/**
 * The same if the server was killed in between: until long after `server-gone` has emptied Redis.
 */
const PROBED_FOR_LONG = 18_000

const MOST_LEAVING = 10
/**
 * Milliseconds in which the logouts start. However fast the server is, some are incomplete at the
 * end of it.
 */
export const LEAVING = 200

export interface Load {
  /**
   * Lets some clients ask this server, without a retry, for what must outlast its death: a logout,
   * a mail, or a guess that counts.
   */
  burstAt(server: number): void
  /**
   * Lets no client start anything new. Resolves when all have ended. Sessions that are alive end
   * with a last refresh.
   */
  stop(): Promise<void>
  /** Aborts everything that the clients do. */
  abandon(): Promise<void>
}

/** What the clients of a topology do, instead of using sessions. */
export interface Workload<R extends RedisServers = RedisServers> {
  start(system: System<R>, events: Event[], people: number, random: Random): Promise<Load>
  /** Milliseconds without faults at the end. */
  calm: number
}

/**
 * Keeps so many people active at the same time. Some are stolen from, some log out, and each one
 * who leaves is replaced.
 */
export function startLoad(system: System, events: Event[], people: number, random: Random): Load {
  const calls = createCalls(system.nodes, events, random.fork())
  const active = new Set<HonestClient>()
  const leaving = new Set<Promise<void>>()
  let over = false
  const isOver = () => over
  const { pause, cutShort, breakOff } = createPauses()

  /**
   * Tries whether the tokens of a session still work. The response to the newest one replaces it,
   * because presenting a spent token would end the session.
   */
  async function probe(
    session: string,
    given: readonly TokenPair[],
    chance: Random,
    probedFor = PROBED_FOR,
  ): Promise<void> {
    const pairs = [...given]
    const until = performance.now() + probedFor
    const refresh = async (token: string) => {
      const { pair } = await calls.refresh({ session, party: 'probe', token })
      if (pair)
        pairs.splice(
          pairs.findIndex(({ refreshToken }) => refreshToken === token),
          1,
          pair,
        )
    }
    await pause(MAX_STALENESS * chance.between(0, 1.1))
    await refresh(chance.pick(pairs.slice(-1)).refreshToken)
    while (performance.now() < until && !over) {
      const { accessToken, refreshToken } = chance.pick(pairs)
      await calls.access(session, accessToken)
      if (chance.chance(0.25)) await refresh(refreshToken)
      await pause(chance.between(50, 700))
    }
  }

  async function leave(
    client: HonestClient,
    insists: boolean,
    chance: Random,
    server?: number,
  ): Promise<void> {
    await client.logOut(insists, server)
    // If the logout was not acknowledged, the session may be alive: check what the servers respond,
    // and whether they stay consistent.
    const probedFor = server === undefined ? PROBED_FOR : PROBED_FOR_LONG
    await probe(client.session, [client.stored()], chance, probedFor)
  }

  async function person(chance: Random): Promise<void> {
    while (!over) {
      const pair = await calls.open()
      if (!pair) {
        await pause(chance.between(100, 400))
        continue
      }
      const isVictim = chance.chance(0.3)
      const options = { calls, random: chance.fork(), isOver, pause, isVictim }
      const client = createHonestClient(pair, options)
      const theft = isVictim ? steal(client, { ...options, random: chance.fork() }) : undefined
      theft?.catch(() => {})
      if (!isVictim) active.add(client)
      await client.live(isVictim ? Number.POSITIVE_INFINITY : chance.between(4_000, 30_000))
      active.delete(client)
      if (client.state() === 'in' && !over) await leave(client, chance.chance(0.8), chance)
      else if (client.state() === 'refused') {
        const loot = await theft
        await probe(client.session, loot ? [client.stored(), loot] : [client.stored()], chance)
      } else if (client.state() === 'in' && !isVictim) await client.refresh()
      await theft
    }
  }

  const crowd = Array.from({ length: people }, async () => {
    const own = random.fork()
    await pause(own.between(0, 1_500))
    await person(own)
  })
  // An error in the harness ends the run when it stops, and not earlier.
  for (const one of crowd) one.catch(() => {})

  return {
    burstAt(server) {
      for (const client of [...active].slice(0, MOST_LEAVING)) {
        active.delete(client)
        const chance = random.fork()
        const left = pause(chance.between(0, LEAVING)).then(() =>
          leave(client, false, chance, server),
        )
        left.catch(() => {})
        leaving.add(left)
      }
    },
    async stop() {
      over = true
      cutShort()
      await Promise.all([...crowd, ...leaving])
      calls.close()
    },
    async abandon() {
      over = true
      breakOff()
      calls.close()
      await Promise.allSettled([...crowd, ...leaving])
    },
  }
}
