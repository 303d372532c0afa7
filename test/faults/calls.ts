import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newEmail, PASSWORD } from '../support/credentials.ts'
import type { Node } from './nodes.ts'
import type { Random } from './random.ts'
import type { Answered, Event, Party, Span } from './record.ts'

/**
 * Milliseconds that a client waits. It is longer than any stall, so that no request is in flight
 * that no client waits for.
 */
const PATIENCE = 8_000

interface Answer extends Span {
  /** 0 if no complete response arrived. */
  status: number
  body: string
  server: number
  /** Whether the request was never sent, because there was no connection. */
  unsent?: true
}

interface Refreshing {
  session: string
  party: Party
  token: string
  key?: string | undefined
}

/** Sends requests, each to a random server, and records all of them. */
export interface Calls {
  /** Signs up a new account and returns its first session, or undefined if that failed. */
  open(): Promise<TokenPair | undefined>
  refresh(refreshing: Refreshing): Promise<{ status: number; pair?: TokenPair }>
  access(session: string, accessToken: string): Promise<number>
  /** `server`: asks this server instead of a random one. */
  logOut(session: string, refreshToken: string, server?: number): Promise<number>
  close(): void
}

export function createCalls(nodes: readonly Node[], events: Event[], random: Random): Calls {
  const agents = nodes.map(() => new Agent({ keepAlive: true }))

  function send(server: number, path: string, headers: Record<string, string>, body?: object) {
    const start = performance.now()
    return new Promise<Answer>((resolve) => {
      let text = ''
      const done = (status: number, rest: Pick<Answer, 'unsent'> = {}) =>
        resolve({ start, end: performance.now(), status, body: text, server, ...rest })
      const sent = request(
        `${nodes[server]?.url()}${path}`,
        {
          method: body ? 'POST' : 'GET',
          agent: agents[server],
          timeout: PATIENCE,
          headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        },
        (response) => {
          response.setEncoding('utf8')
          response.on('data', (chunk) => {
            text += chunk
          })
          response.on('end', () => done(response.statusCode ?? 0))
          response.on('error', () => done(0))
        },
      )
      sent.on('timeout', () => sent.destroy())
      sent.on('error', (error: NodeJS.ErrnoException) =>
        done(0, error.code === 'ECONNREFUSED' ? { unsent: true } : {}),
      )
      sent.end(body && JSON.stringify(body))
    })
  }

  const anyServer = () => Math.floor(random.next() * nodes.length)

  function keep(event: Answered): void {
    events.push(event)
  }

  return {
    async open() {
      const { body, ...answer } = await send(
        anyServer(),
        '/auth/signup',
        {},
        { email: newEmail(), password: PASSWORD },
      )
      const pair = answer.status === 201 ? (JSON.parse(body) as TokenPair) : undefined
      if (pair) keep({ kind: 'opened', session: pair.sessionId, ...withExpiry(pair), ...answer })
      else if (answer.status !== 503 && answer.status !== 0)
        keep({ kind: 'opened', session: 'none', ...answer })
      return pair
    },

    async refresh({ session, party, token, key }) {
      const headers = key ? { 'idempotency-key': key } : {}
      const { body, ...answer } = await send(anyServer(), '/auth/refresh', headers, {
        refreshToken: token,
      })
      const pair = answer.status === 200 ? (JSON.parse(body) as TokenPair) : undefined
      const presented = {
        presented: hash(token),
        generation: generationOf(token),
        ...(key && { key: hash(key) }),
      }
      const returned = pair ? { returned: hash(pair.refreshToken), ...withExpiry(pair) } : {}
      keep({ kind: 'refresh', session, party, ...presented, ...returned, ...answer })
      return { status: answer.status, ...(pair && { pair }) }
    },

    async access(session, accessToken) {
      const { body: _, ...answer } = await send(anyServer(), '/guarded', {
        authorization: `Bearer ${accessToken}`,
      })
      keep({ kind: 'access', session, expires: expiryOf(accessToken), ...answer })
      return answer.status
    },

    async logOut(session, refreshToken, server = anyServer()) {
      const { body: _, ...answer } = await send(server, '/auth/logout', {}, { refreshToken })
      keep({ kind: 'logout', session, ...answer })
      return answer.status
    },

    close() {
      for (const agent of agents) agent.destroy()
    },
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 22)
}

function claimsOf(token: string): { gen: number; exp: number } {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

/** Returns the generation: 1 plus the number of refreshes before the token was made. */
export function generationOf(refreshToken: string): number {
  return claimsOf(refreshToken).gen
}

const withExpiry = ({ accessToken }: TokenPair) => ({ accessExpires: expiryOf(accessToken) })

/** Returns the expiry by the clock of the record. */
function expiryOf(accessToken: string): number {
  return claimsOf(accessToken).exp * 1000 - performance.timeOrigin
}
