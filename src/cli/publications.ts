import { setTimeout as delay } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import type { DatabaseOptions } from '../db/open.ts'
import { epochs, sessions, userRevocations } from '../db/schema.ts'

/** Milliseconds. The servers look for unpublished revocations every few seconds. */
const MAX_WAIT = 10_000
const POLL_INTERVAL = 200

/** What identifies a committed revocation. */
export type Publication =
  | { kind: 'session'; sessionId: string }
  | { kind: 'user'; userId: string }
  | { kind: 'everything'; before: number }

/**
 * Stands in for the revoker of a server. A command commits revocations in Postgres, the running
 * servers publish them, and the command waits for that.
 */
export function createPublications(
  { orm, query }: Database,
  { databaseUrl }: Pick<DatabaseOptions, 'databaseUrl'>,
) {
  const expected: Publication[] = []

  function find(publication: Publication) {
    switch (publication.kind) {
      case 'session':
        return orm
          .select({ publishedAt: sessions.publishedAt })
          .from(sessions)
          .where(eq(sessions.id, publication.sessionId))
      case 'user':
        return orm
          .select({ publishedAt: userRevocations.publishedAt })
          .from(userRevocations)
          .where(eq(userRevocations.userId, publication.userId))
      case 'everything':
        return orm
          .select({ publishedAt: epochs.publishedAt })
          .from(epochs)
          .where(eq(epochs.startedAt, new Date(publication.before)))
    }
  }

  /** Something that has no row was never revoked, so there is nothing to publish. */
  async function areAllPublished(): Promise<boolean> {
    for (const publication of expected)
      for (const { publishedAt } of await query(find(publication)))
        if (publishedAt === null) return false
    return true
  }

  return {
    expected: expected as readonly Publication[],

    expect(publication: Publication): void {
      expected.push(publication)
    },

    /**
     * Waits a few seconds until the servers have published the expected changes, and returns
     * whether they have. It never rejects: a committed change will be published, whatever happens
     * here.
     */
    async wait(): Promise<boolean> {
      // No other process can work on the embedded database at the same time.
      if (!databaseUrl) return false
      const deadline = performance.now() + MAX_WAIT
      try {
        while (performance.now() < deadline) {
          if (await areAllPublished()) return true
          await delay(POLL_INTERVAL)
        }
      } catch {
        // Postgres is unavailable. A server publishes later.
      }
      return false
    },
  }
}
