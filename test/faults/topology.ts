import type { Env } from '../support/environment.ts'
import type { Fault } from './fault.ts'
import type { Workload } from './load.ts'

/** The Redis servers of a system. */
export interface RedisServers {
  /**
   * Returns the `REDIS_URL` for a server whose links use these ports, in the order of `targets`.
   */
  url(ports: readonly number[]): string
  /** Further variables of the environment of the servers. */
  env?: Env
  /**
   * Returns the addresses to which the links of a server lead. It is called again for every
   * connection.
   */
  targets: readonly (() => number)[]
  /**
   * Resolves when the servers are as they were at the start: every one runs and has all of the
   * data.
   */
  whole(): Promise<void>
  stop(): Promise<void>
}

/** A form of Redis, and the faults that can happen to a system that runs on it. */
export interface Topology<R extends RedisServers = RedisServers> {
  name: string
  description: string
  faults: readonly Fault<R>[]
  start(): Promise<R>
  load?: Workload<R>
}
