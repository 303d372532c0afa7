import type { Revocation, Revocations, UnpublishedRevocation } from './revocations.ts'

/** How every node learns of every revocation. */
export interface RevocationFeed {
  /**
   * Resolves when this node knows all revocations that may still matter, or after a few seconds if
   * there are very many. Until it knows them, `age` returns infinity.
   */
  start(): Promise<void>
  stop(): Promise<void>

  /**
   * Publishes to every node. Resolves when it is certain that they will receive the revocations;
   * otherwise it rejects with `AUTH_UNAVAILABLE`.
   */
  publish(revocations: readonly Revocation[]): Promise<void>

  /**
   * Returns all revocations that the feed still has, from the oldest one, in batches. Rejects with
   * `AUTH_UNAVAILABLE` if they cannot be read.
   */
  history(): AsyncIterable<Revocation[]>

  /** Returns the milliseconds since this node was last known to have every revocation. */
  age(): number
}

/**
 * Reads the revocations of the last `ms` milliseconds from Postgres in batches, to make up for
 * entries that the feed may have lost.
 */
export type Recover = (ms: number) => AsyncIterable<readonly UnpublishedRevocation[]>

/** Creates the feed of the embedded default, in which there is only one node. */
export function createLocalFeed(
  known: Revocations,
  recover: () => ReturnType<Recover>,
): RevocationFeed {
  const publish = async (revocations: readonly Revocation[]) => {
    for (const revocation of revocations) known.add(revocation)
  }
  return {
    async start() {
      for await (const revocations of recover())
        for (const { revocation, age } of revocations) known.add(revocation, { age })
    },
    async stop() {},
    publish,
    async *history() {},
    age: () => 0,
  }
}
