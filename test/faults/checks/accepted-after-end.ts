import type { Fault } from '../record.ts'
import { mayBeReuse, overlaps, type Rules, type SessionRecord } from '../session-record.ts'

/**
 * Tokens that were accepted though their session had ended: a refresh token by a request that began after the end was
 * acknowledged, an access token by one that began later than the bound after it. What began earlier may have overtaken.
 *
 * Where a logout was never answered the session may go on or not. Once a refresh token of it is refused it has ended, and
 * whatever the server that died has left undone the others finish: for as long as they can reach the stores, the same
 * holds a longer time after the end. At most one sentence for each kind of token.
 */
export function acceptedAfterEnd(
  record: SessionRecord,
  faults: readonly Fault[],
  rules: Rules,
): string[] {
  const { session, refreshes, accesses, endedAt } = record
  if (endedAt === undefined) return acceptedAfterHalf(record, faults, rules)
  const found: string[] = []
  const refreshed = refreshes.find(({ status, start }) => status === 200 && start > endedAt)
  if (refreshed)
    found.push(sentence(session, `generation ${refreshed.generation}`, refreshed, endedAt))
  const used = accesses.find(
    ({ status, start }) => status === 200 && start > endedAt + rules.revocationMaxStaleness,
  )
  if (used) found.push(sentence(session, 'an access token', used, endedAt))
  return found
}

/**
 * When the session ended is told by the first refusal that comes after the logouts were sent, however late that is. If
 * nothing but a logout can have been the reason, it ended before they were over, at the latest: a server commits an ending
 * while it is asked for one, or never. Else it may have ended with the refusal.
 */
function acceptedAfterHalf(
  { session, refreshes, accesses, logouts }: SessionRecord,
  faults: readonly Fault[],
  rules: Rules,
): string[] {
  const begun = Math.min(...logouts.map(({ start }) => start))
  const refused = refreshes.find(({ status, start }) => status === 401 && start > begun)
  if (!refused) return []
  const lastAsked = Math.max(...logouts.map(({ end }) => end))
  const ended = mayBeReuse(refreshes, refused.end, rules) ? refused.end : lastAsked
  const disturbed = (until: number) =>
    faults.some((fault) => !fault.oneServer && overlaps(fault, { start: begun, end: until }))
  const accepted = [...refreshes, ...accesses].find(
    ({ status, start }) => status === 200 && start > ended + rules.finish && !disturbed(start),
  )
  return accepted ? [sentence(session, `a token (${accepted.kind})`, accepted, ended)] : []
}

function sentence(
  session: string,
  what: string,
  request: { start: number; server: number },
  end: number,
) {
  const late = Math.round(request.start - end)
  return `session ${session}: ${what} was accepted by server ${request.server}, asked ${late} ms after the end`
}
