import type { Fault } from './fault.ts'

/** The Redis servers of a system. */
export interface RedisServers {
  /** `REDIS_URL` for a server whose links lead through these ports, in the order of `targets`. */
  url(ports: readonly number[]): string
  /** Where the links of a server lead, one each. Asked again for every connection. */
  targets: readonly (() => number)[]
  /** Resolves when they are as they were at the start: whoever is to be there is, and has all of the data. */
  whole(): Promise<void>
  stop(): Promise<void>
}

/** A form that Redis comes in, and what can happen to a system that stands on it. */
export interface Topology<R extends RedisServers = RedisServers> {
  name: string
  description: string
  faults: readonly Fault<R>[]
  start(): Promise<R>
}
