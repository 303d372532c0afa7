export type Work = 'authenticate' | 'refresh'

export interface Peer {
  name: string
  /** The module to run. */
  server: URL
  /** What the peer is, and what its users do not get. */
  description: string
  /** The kinds of work that are measured. The seed may offer more. */
  work: readonly Work[]
  /** The packages that the peer's speed depends on. */
  packages: readonly string[]
  /** The text in the body of a 200 that means a refusal. Absent if a refusal is a 401. */
  refusal?: string
  /** Seconds after the seed for which the requests are valid and fresh. */
  freshFor: number
}
