import type { Platform } from './platform.ts'

/** An access token as tabs pass it to each other. Times are milliseconds. */
export interface AccessToken {
  /** The id of the session. */
  session: string
  token: string
  /** Its lifetime. */
  life: number
  /** When it was requested, by the wall clock, which is the only clock that tabs share. */
  at: number
}

/** Creates the holder of this tab's access token. The token is kept in memory only. */
export function createAccessTokenHolder({ wall, steady }: Pick<Platform, 'wall' | 'steady'>) {
  let current: (AccessToken & { since: number }) | undefined

  /**
   * Returns the milliseconds until expiry, negative after it. The server's clock does not matter.
   * Our wall clock may be set, and our steady clock may stop during sleep, so the clock that saw
   * more time pass decides.
   */
  function remaining(): number {
    return current ? current.life - Math.max(wall() - current.at, steady() - current.since) : 0
  }

  return {
    get: () => current,
    /**
     * Replaces the token. Returns false if it was not replaced, because the offered one is neither
     * known to be the newest nor newer than the current one of the same session.
     */
    replace(offered: AccessToken, isNewest: boolean): boolean {
      if (!isNewest && current && offered.session === current.session && offered.at <= current.at)
        return false
      current = { ...offered, since: steady() - Math.max(0, wall() - offered.at) }
      return true
    },
    clear(): void {
      current = undefined
    },
    /** Returns the token unless it is the one that was refused or is about to expire. */
    usable(refused?: string): string | undefined {
      const isFresh =
        current && current.token !== refused && remaining() > Math.min(30_000, current.life / 5)
      return isFresh ? current?.token : undefined
    },
    /** Returns the token unless it is the one that was refused or has expired. */
    unexpired: (refused?: string): string | undefined =>
      current?.token !== refused && remaining() > 0 ? current?.token : undefined,
  }
}
