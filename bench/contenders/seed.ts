import type { FastifyInstance } from 'fastify'

/** A request that is ready to be sent. */
export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** A series of requests. Each carries the token from the response to the previous request. */
export interface Chain extends Request {
  body: string
  /**
   * The first token. It replaces `{token}` in the body. It needs no escaping in JSON or in a form.
   */
  token: string
  /** The field of the JSON response that holds the next token. */
  field: string
}

/** The requests that a client of a live session may send. */
export interface Session {
  authenticate?: Request
  refresh?: Chain
  login?: Request
  /** Revokes the session, so that the next `authenticate` is refused. Absent if not possible. */
  revoke?: Request
}

export interface Seed {
  /** The number of users. */
  count: number
  /** The number of sessions of each user, 1 by default. */
  each?: number
  /** The total number of access tokens, one per session by default. */
  tokens?: number
}

const json = { 'content-type': 'application/json' }

export const get = (path: string, token: string): Request => ({
  method: 'GET',
  path,
  headers: { authorization: `Bearer ${token}` },
})

export const post = (path: string, body: object): Request & { body: string } => ({
  method: 'POST',
  path,
  headers: json,
  body: JSON.stringify(body),
})

export const refreshBy = (token: string): Chain => ({
  ...post('/auth/refresh', { refreshToken: '{token}' }),
  token,
  field: 'refreshToken',
})

/** Adds `POST /bench/seed`, which every contender serves. */
export function offerSeeds(app: FastifyInstance, seed: (wanted: Seed) => Promise<Session[]>): void {
  app.post('/bench/seed', (request) => seed(request.body as Seed))
}

/** Listens on loopback and prints the address, so that the harness can find it. */
export async function serve(app: FastifyInstance): Promise<void> {
  const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
  process.stdout.write(`Server listening at ${url}\n`)
}
