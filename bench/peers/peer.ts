/** A request ready to be sent byte by byte, but for Host and Content-Length. */
export interface SeededRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

/** The first refresh of a session, and how to make the next one from each answer. */
export interface SeededRefresh extends SeededRequest {
  /** With `{token}` where the refresh token belongs. Tokens need no escaping, neither in JSON nor in a form. */
  body: string
  token: string
  /** Of the answer's JSON object: the refresh token that comes next. */
  field: string
}

/** One live session of a user of its own, as `POST /bench/seed` answers with `{ count }` of them. */
export interface SeededSession {
  authenticate: SeededRequest
  refresh?: SeededRefresh
  /** Ends the session, so that the very next `authenticate` is refused; absent where none does. */
  revoke?: SeededRequest
}

export type Work = 'authenticate' | 'refresh'

export interface Peer {
  name: string
  /** The program to run. */
  server: URL
  /** What it is, and what whoever uses it does not get. */
  description: string
  /** What it is measured at. Its seed may offer more, as the way there. */
  work: readonly Work[]
  /** The packages that its speed depends on. */
  packages: readonly string[]
  /** In the body of a 200 that refuses; absent where a refusal is a 401. */
  refusal?: string
  /** For so long after the seed, in seconds, are its requests what they are meant to be. */
  freshFor: number
}
