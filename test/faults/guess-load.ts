import { newEmail, PASSWORD } from '../support/credentials.ts'
import type { Workload } from './load.ts'
import { createPauses } from './pauses.ts'
import { post } from './post.ts'
import type { Random } from './random.ts'
import type { Single } from './topologies/single-servers.ts'

/** One in so many people of the other loads has an account that is guessed at. */
const SHARE = 20
/** Strangers who guess at one account at the same time. */
const STRANGERS = 3
const BURST = 10

/** Lets strangers guess the passwords of some accounts, each time from another address. */
export const startGuessLoad: Workload<Single>['start'] = async (system, events, people, random) => {
  const { nodes } = system
  const { pause, cutShort, breakOff } = createPauses()
  const accounts: string[] = []
  const bursts = new Set<Promise<void>>()
  let isOver = false
  let addresses = 0
  const anyServer = (chance: Random) => Math.floor(chance.next() * nodes.length)

  function send(server: number, path: string, body: object) {
    addresses++
    const from = `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`
    return post(`${nodes[server]?.url()}${path}`, body, { 'x-forwarded-for': from })
  }

  async function guess(account: string, server: number): Promise<void> {
    const login = { email: account, password: 'not the password' }
    const { start, end, status } = await send(server, '/auth/login', login)
    events.push({ kind: 'guess', account, start, end, status })
  }

  async function stranger(account: string, chance: Random): Promise<void> {
    while (!isOver) {
      await guess(account, anyServer(chance))
      await pause(chance.between(50, 250))
    }
  }

  async function attack(chance: Random): Promise<void> {
    const account = newEmail()
    const credentials = { email: account, password: PASSWORD }
    // If the response is lost, the next one says that there is an account.
    const isMade = async () =>
      [201, 409].includes((await send(anyServer(chance), '/auth/signup', credentials)).status)
    while (!(await isMade())) await pause(100)
    accounts.push(account)
    await Promise.all(Array.from({ length: STRANGERS }, () => stranger(account, chance.fork())))
  }

  const crowd = Array.from({ length: Math.ceil(people / SHARE) }, () => attack(random.fork()))
  // An error in the harness ends the run when it stops, and not earlier.
  for (const one of crowd) one.catch(() => {})

  return {
    burstAt(server) {
      for (const account of accounts)
        for (let count = 0; count < BURST; count++) bursts.add(guess(account, server))
    },
    async stop() {
      isOver = true
      cutShort()
      await Promise.all([...crowd, ...bursts])
    },
    async abandon() {
      isOver = true
      breakOff()
      await Promise.allSettled([...crowd, ...bursts])
    },
  }
}
