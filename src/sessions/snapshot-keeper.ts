import type { Authorization } from './session-store.ts'
import type { Snapshots } from './snapshots.ts'

export interface SnapshotKeeperOptions {
  snapshots: Snapshots
  /** Returns what a user may do by Postgres, or undefined if the user may not have sessions. */
  readAuthorization: (userId: string) => Promise<Authorization | undefined>
  /** Called when Redis had a snapshot that this service did not make for that user. */
  onForgedSnapshot?: (userId: string) => void
  /** Returns whether a later version than `ver` is known, so that the snapshot may be a replay. */
  isOutdated?: (userId: string, ver: number) => boolean
  /** Replaces the snapshot `rejected`, unless Redis has a newer one by now. */
  replace: (userId: string, authorization: Authorization, rejected: string) => Promise<unknown>
}

/** Creates what decides which snapshots in Redis count. */
export function createSnapshotKeeper(options: SnapshotKeeperOptions) {
  const { snapshots, readAuthorization, onForgedSnapshot, isOutdated, replace } = options

  /** Returns undefined, and reports it, if somebody else wrote the snapshot. */
  function openOwn(userId: string, snapshot: string): Authorization | undefined {
    const authorization = snapshots.open(userId, snapshot)
    if (!authorization) onForgedSnapshot?.(userId)
    return authorization
  }

  return {
    openOwn,

    /**
     * Returns the authorization for the next token. Reads it from Postgres, and replaces the
     * snapshot, if that does not count.
     */
    async resolve(userId: string, snapshot: string): Promise<Authorization | undefined> {
      const authorization = openOwn(userId, snapshot)
      if (authorization && !isOutdated?.(userId, authorization.ver)) return authorization
      const committed = await readAuthorization(userId)
      if (committed) await replace(userId, committed, snapshot)
      return committed
    },
  }
}
