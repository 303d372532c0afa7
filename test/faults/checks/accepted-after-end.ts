import type { Fault } from '../record.ts'
import { mayBeReuse, overlaps, type Rules, type SessionRecord } from '../session-record.ts'

/**
 * Returns the tokens that were accepted after their session had ended: a refresh token in a request
 * that began after the end was acknowledged, or an access token in a request that began later than
 * the bound after it. A request that began earlier may have overtaken the end.
 *
 * If a logout never got a response, the session may be alive or not. Once one of its refresh tokens
 * is refused, it has ended, and the other servers finish what a dead server left incomplete. So the
 * same rule holds from a longer time after the end, as long as they can reach the stores. At most
 * one sentence for each kind of token.
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
 * Returns when the session ended, as the first refusal after the logouts shows, however late it
 * comes. If only a logout can be the reason, the session ended before the logouts were over: a
 * server commits a revocation while the request is in flight, or never. Otherwise it may have ended
 * at the refusal.
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
