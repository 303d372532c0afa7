import type { FastifyInstance } from 'fastify'

/** A request that is ready to be sent. */
export interface Request {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** Requests each of which carries what the answer to the one before brought. */
export interface Chain extends Request {
  body: string
  /** What stands for `{token}` in the body of the first one; it needs no escaping, neither in JSON nor in a form. */
  token: string
  /** The field of the answer, JSON, that holds the next. */
  field: string
}

/** What a client of a live session may send. */
export interface Session {
  authenticate?: Request
  refresh?: Chain
  login?: Request
  /** Ends the session, so that the very next `authenticate` is refused; absent where nothing does. */
  revoke?: Request
}

export interface Seed {
  /** So many users. */
  count: number
  /** With so many sessions each; one, unless said. */
  each?: number
  /** With so many access tokens in all; one of each session, unless said. */
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

/** What every contender answers to `POST /bench/seed`. */
export function offerSeeds(app: FastifyInstance, seed: (wanted: Seed) => Promise<Session[]>): void {
  app.post('/bench/seed', (request) => seed(request.body as Seed))
}

/** Listens where the harness finds it. */
export async function serve(app: FastifyInstance): Promise<void> {
  const url = await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
  process.stdout.write(`Server listening at ${url}\n`)
}
