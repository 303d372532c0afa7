import { setTimeout as delay } from 'node:timers/promises'
import type { Database } from '../db/database.ts'
import type { DatabaseOptions } from '../db/open.ts'

/** Milliseconds: the running servers look for what is committed and not told every few seconds. */
const PATIENCE = 10_000
const INTERVAL = 200

const IN_FORCE = 'It is in force on every server.'
const COMMITTED =
  'It is committed. No server is running, or none has told the others yet: it is in force as soon as one runs.'

/**
 * Whether the running servers have finished, within a few seconds, what is committed: hot state closed, every node told.
 * Never rejects: what is committed is in force in the end, whatever comes of the waiting.
 */
export async function awaitForce(
  { databaseUrl }: DatabaseOptions,
  isPublished: () => Promise<boolean>,
): Promise<boolean> {
  // The embedded database has no other process on it.
  if (!databaseUrl) return false
  try {
    for (
      const deadline = performance.now() + PATIENCE;
      performance.now() < deadline;
      await delay(INTERVAL)
    )
      if (await isPublished()) return true
  } catch {
    // Postgres has gone away. A server will see to it.
  }
  return false
}

export const describeForce = (inForce: boolean): string => (inForce ? IN_FORCE : COMMITTED)

/** Whether nothing that a query for times of publication found is without one. */
export async function isPublished(
  { query }: Database,
  found: PromiseLike<{ publishedAt: Date | null }[]>,
): Promise<boolean> {
  return (await query(found)).every(({ publishedAt }) => publishedAt !== null)
}
