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
export function createAccessTokenHolder(platform: Platform) {
  const wall = () => platform.Date.now()
  const steady = () => platform.performance.now()
  let current: (AccessToken & { since: number }) | undefined

  return {
    get: () => current,
    /**
     * Replaces the token. Returns false if it was not replaced, because the offered one is neither
     * known to be the newest nor newer than the current one of the same session.
     */
    replace(offered: AccessToken, isNewest?: unknown): boolean {
      if (!isNewest && offered.session === current?.session && offered.at <= current.at)
        return false
      current = { ...offered, since: steady() - Math.max(0, wall() - offered.at) }
      return true
    },
    clear(): void {
      current = undefined
    },
    /**
     * Returns the token unless it is the one that was refused, or has expired, or is `fresh` no
     * more because it expires soon. The server's clock does not matter. Our wall clock may be set,
     * and our steady clock may stop during sleep, so the clock that saw more time pass decides.
     */
    valid(refused?: string, fresh?: boolean): AccessToken | undefined {
      if (!current || current.token === refused) return undefined
      const { life, at, since } = current
      const left = life - Math.max(wall() - at, steady() - since)
      return left > (fresh ? life / 30 : 0) ? current : undefined
    },
  }
}
