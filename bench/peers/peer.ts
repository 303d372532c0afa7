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
