import { setTimeout as delay } from 'node:timers/promises'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import type { Workload } from './load.ts'
import { watchOutbox } from './outbox-watch.ts'
import { createPauses } from './pauses.ts'
import { post } from './post.ts'
import type { Random } from './random.ts'
import type { WithMail } from './topologies/mail.ts'

/** One in so many people of the other loads asks for mails. */
const SHARE = 5
/** Milliseconds in which the transaction of a request must commit, because it follows a response. */
const COMMIT_LIMIT = 2_000

interface User {
  email: string
  accessToken: string
  /** The last request, because the mails of a user have an order only if the requests have one. */
  asking: Promise<boolean>
}

/** Keeps some users asking for links: to verify their address, or to reset their password. */
export const startMailLoad: Workload<WithMail>['start'] = async (
  system,
  events,
  people,
  random,
) => {
  const { nodes, sql, redis } = system
  const { pause, cutShort, breakOff } = createPauses()
  const users = new Set<User>()
  let isOver = false
  redis.onArrival = (mail, isAccepted) => events.push({ kind: 'mail-arrived', mail, isAccepted })
  const outbox = await watchOutbox(sql, events)
  const anyServer = (chance: Random) => Math.floor(chance.next() * nodes.length)

  async function send(server: number, path: string, body?: object, accessToken?: string) {
    const headers = accessToken ? { authorization: `Bearer ${accessToken}` } : {}
    return post(`${nodes[server]?.url()}${path}`, body, headers)
  }

  async function signUp(chance: Random): Promise<User | undefined> {
    const email = newEmail()
    const answer = await send(anyServer(chance), '/auth/signup', { email, password: PASSWORD })
    if (answer.status !== 201) return undefined
    const { accessToken } = JSON.parse(answer.body) as TokenPair
    return { email, accessToken, asking: Promise.resolve(true) }
  }

  /** Resolves to whether the mail was queued. If not, nobody knows whether it still will be. */
  async function ask({ email, accessToken }: User, server: number, isReset: boolean) {
    const before = outbox.queuedFor(email)
    const { start, end, status } = isReset
      ? await send(server, '/auth/password/forgot', { email })
      : await send(server, '/auth/email/verification', undefined, accessToken)
    events.push({ kind: 'mail-request', start, end, status })
    const until = performance.now() + COMMIT_LIMIT
    while (status === 202 && outbox.queuedFor(email) === before && performance.now() < until)
      await delay(20)
    return outbox.queuedFor(email) > before
  }

  function askNext(user: User, server: number, isReset: boolean): Promise<boolean> {
    user.asking = user.asking.then((isKnown) => isKnown && ask(user, server, isReset))
    return user.asking
  }

  async function person(chance: Random): Promise<void> {
    while (!isOver) {
      await pause(chance.between(50, 500))
      const user = await signUp(chance)
      if (!user) continue
      users.add(user)
      while (!isOver && (await askNext(user, anyServer(chance), chance.chance(0.7))))
        await pause(chance.between(50, 500))
      users.delete(user)
    }
  }

  const crowd = Array.from({ length: Math.ceil(people / SHARE) }, () => person(random.fork()))
  // An error in the harness ends the run when it stops, and not earlier.
  for (const one of crowd) one.catch(() => {})

  return {
    burstAt(server) {
      for (const user of users) askNext(user, server, true).catch(() => {})
    },
    async stop() {
      isOver = true
      cutShort()
      await Promise.all(crowd)
      await outbox.drain()
      await outbox.stop()
    },
    async abandon() {
      isOver = true
      breakOff()
      await Promise.allSettled(crowd)
      await outbox.stop()
    },
  }
}
