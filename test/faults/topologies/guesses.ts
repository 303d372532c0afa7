import { type Fault, ONE_SERVER, stall } from '../fault.ts'
import { anyOf } from '../faults.ts'
import { startGuessLoad } from '../guess-load.ts'
import type { Topology } from '../topology.ts'
import { type Single, startSingle } from './single-servers.ts'

const GUESS_FAULTS: readonly Fault<Single>[] = [
  {
    name: 'guess-count',
    description:
      'SIGSTOP of Redis, then a server that is cut off from it, then kill -9 of a server during guesses, and another one in its place',
    ...ONE_SERVER,
    async inject(system, random, load) {
      const { nodes, links, redis } = system
      redis.kill('SIGSTOP')
      await stall(random)
      redis.kill('SIGCONT')
      const cutOff = anyOf(system, random)
      const isSilent = random.chance(0.5)
      for (const link of links[cutOff] ?? []) {
        if (isSilent) link.hold()
        else link.cut()
      }
      load.burstAt(cutOff)
      await stall(random)
      for (const link of links[cutOff] ?? []) link.heal()
      const killed = anyOf(system, random)
      load.burstAt(killed)
      await nodes[killed]?.restart()
    },
  },
]

export const GUESSES: Topology<Single> = {
  name: 'guesses',
  description: 'strangers guess the passwords of a few accounts, each time from another address',
  faults: GUESS_FAULTS,
  load: { start: startGuessLoad, calm: 0 },
  async start() {
    const env = { RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' }
    return { ...(await startSingle()), env }
  },
}
