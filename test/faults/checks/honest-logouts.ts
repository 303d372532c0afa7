import type { Access, Fault, Refresh, Span } from '../record.ts'
import { mayBeReuse, overlaps, type Rules, type SessionRecord, spanOf } from '../session-record.ts'

/** Times in tokens are whole seconds. */
const MARGIN = 1_000

/**
 * Returns whether the clock of Redis was set in that period. A grace period that spans that moment
 * may have ended early, and so may the life of an access token.
 */
const isClockShifted = (faults: readonly Fault[], span: Span) =>
  faults.some((fault) => fault.shiftsClock && overlaps(fault, span))

/** Returns the requests that may have spent the token of a refused one, and that one. */
const spending = (refreshes: readonly Refresh[], refused: Refresh) =>
  refreshes.filter(
    ({ generation, start }) => generation >= refused.generation && start <= refused.end,
  )

/**
 * Returns the sessions that ended without a reason: no thief, and no logout by the owner, but a
 * refresh of the owner was refused, or an access token was refused long before its expiry. Owners
 * follow the rules: they present the newest token that they have, a retry has the key of its first
 * attempt or comes within the grace period, and no session lasts until its expiry. If a request was
 * so slow that it may have come too late for that, nothing is proven. Nothing is proven either if
 * Postgres may have lost the sign-up.
 */
export function honestLogouts(
  { session, opened, refreshes, logouts, accesses }: SessionRecord,
  faults: readonly Fault[],
  rules: Rules,
): string[] {
  if (refreshes.some(({ party }) => party === 'thief')) return []
  if (opened.some((open) => faults.some((fault) => fault.losesCommits && overlaps(fault, open))))
    return []
  const leftAt = Math.min(...logouts.map(({ start }) => start))
  const refused = refreshes.find(({ status, end }) => status === 401 && end < leftAt)
  if (refused && mayBeReuse(refreshes, refused.end, rules)) return []
  if (refused && isClockShifted(faults, spanOf(spending(refreshes, refused)))) return []
  if (refused) {
    const { generation, server, start, end } = refused
    const when = `${Math.round(start)}-${Math.round(end)}`
    return [
      `session ${session}: generation ${generation} was refused by server ${server} at ${when}`,
    ]
  }
  /** Returns when the token of a request was issued, at the earliest. */
  const issuedAt = ({ expires, start }: Access) => {
    const issued = [...opened, ...refreshes].filter(
      ({ accessExpires }) => accessExpires === expires,
    )
    return Math.min(start, ...issued.map((pair) => pair.start))
  }
  const denied = accesses.find(
    (access) =>
      access.status === 401 &&
      access.end < leftAt &&
      access.end < access.expires - MARGIN &&
      !isClockShifted(faults, { start: issuedAt(access), end: access.end }),
  )
  if (!denied) return []
  return [
    `session ${session}: its access token was refused by server ${denied.server} at ${Math.round(denied.start)}`,
  ]
}
