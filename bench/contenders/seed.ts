import type { FastifyInstance } from 'fastify'

/** A request that is ready to be sent. */
export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** Requests that each carry the token from the response to the previous one. */
export interface Chain extends Request {
  body: string
  /**
   * The first token: it replaces `{token}` in the body. It needs no escaping, neither in JSON nor
   * in a form.
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
  /** Ends the session, so that the next `authenticate` is refused. Absent if nothing does that. */
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

/** Serves `POST /bench/seed`, as every contender does. */
export function offerSeeds(app: FastifyInstance, seed: (wanted: Seed) => Promise<Session[]>): void {
  app.post('/bench/seed', (request) => seed(request.body as Seed))
}

/** Listens at an address that the harness can find. */
export async function serve(app: FastifyInstance): Promise<void> {
  const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
  process.stdout.write(`Server listening at ${url}\n`)
}
