import type { Revocation, Revocations } from './revocations.ts'

/**
 * How nodes hear of revocations. Two implement it: `redis-feed.ts`, and `createLocalFeed` for the one node of the embedded
 * default.
 */
export interface RevocationFeed {
  /** Resolves once this node knows what is revoked. */
  start(): Promise<void>
  stop(): Promise<void>

  /** Tell every node. Resolves when they will hear of it; rejects with `AUTH_UNAVAILABLE` where that is not certain. */
  publish(revocations: readonly Revocation[]): Promise<void>

  /** Milliseconds since what this node knew was certainly complete. */
  age(): number
}

/** What makes up for all that a feed may have lost: reads the revocations of the last so many milliseconds from the truth. */
export type Recover = (within: number) => Promise<Revocation[]>

export function createLocalFeed(
  known: Revocations,
  recover: () => Promise<Revocation[]>,
): RevocationFeed {
  return {
    async start() {
      for (const revocation of await recover()) known.add(revocation)
    },
    async stop() {},
    async publish(revocations) {
      for (const revocation of revocations) known.add(revocation)
    },
    age: () => 0,
  }
}
