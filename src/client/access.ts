import type { Platform } from './platform.ts'

/** An access token as it is handed from tab to tab. Milliseconds. */
export interface Access {
  session: string
  token: string
  life: number
  /** When it was asked for, by the clock on the wall: the one clock that tabs share. */
  at: number
}

/** The access token of this tab, in memory alone. */
export function createAccess({ wall, steady }: Pick<Platform, 'wall' | 'steady'>) {
  let held: (Access & { since: number }) | undefined

  /**
   * Milliseconds left, or less. The server's clock does not matter, nor that one of ours was set or slept: of two that
   * disagree the one counts by which more time has passed.
   */
  function left(): number {
    return held ? held.life - Math.max(wall() - held.at, steady() - held.since) : 0
  }

  return {
    get: () => held,
    /** Answers whether it is held now: unless it surely is, it must be newer than the one that was. */
    hold(access: Access, isNewest: boolean): boolean {
      if (!isNewest && held && access.session === held.session && access.at <= held.at) return false
      held = { ...access, since: steady() - Math.max(0, wall() - access.at) }
      return true
    },
    drop(): void {
      held = undefined
    },
    /** The token, where it is not the one that was refused, and is good for some time yet. */
    usable(refused?: string): string | undefined {
      const isFresh = held && held.token !== refused && left() > Math.min(30_000, held.life / 5)
      return isFresh ? held?.token : undefined
    },
    /** The same, to the last moment. */
    alive: (refused?: string): string | undefined =>
      held?.token !== refused && left() > 0 ? held?.token : undefined,
  }
}
