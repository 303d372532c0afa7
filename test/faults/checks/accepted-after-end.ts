import type { Fault } from '../record.ts'
import { overlaps, type Rules, type SessionRecord } from '../session-record.ts'

/**
 * Tokens that were accepted though their session had ended: a refresh token by a request that began after the end was
 * acknowledged, an access token by one that began later than the bound after it. What began earlier may have overtaken.
 *
 * Where a logout was never answered the session may go on or not. But once a refresh token of it was refused it has ended,
 * and whatever the server that died has left undone the others finish: from then on, and for as long as they can reach
 * the stores, the same holds after a longer time. At most one sentence for each kind of token.
 */
export function acceptedAfterEnd(
  record: SessionRecord,
  faults: readonly Fault[],
  { maxStaleness, finish }: Rules,
): string[] {
  const { session, refreshes, accesses, endedAt } = record
  if (endedAt === undefined) return acceptedAfterHalf(record, faults, finish)
  const found: string[] = []
  const refreshed = refreshes.find(({ status, start }) => status === 200 && start > endedAt)
  if (refreshed) found.push(sentence(session, `generation ${refreshed.generation}`, refreshed, endedAt))
  const used = accesses.find(({ status, start }) => status === 200 && start > endedAt + maxStaleness)
  if (used) found.push(sentence(session, 'an access token', used, endedAt))
  return found
}

function acceptedAfterHalf(
  { session, refreshes, accesses, logouts }: SessionRecord,
  faults: readonly Fault[],
  finish: number,
): string[] {
  const begun = Math.min(...logouts.map(({ start }) => start))
  const refused = refreshes.find(({ status, start }) => status === 401 && start > begun)
  if (!refused) return []
  const { end } = refused
  const disturbed = (until: number) =>
    faults.some((fault) => !fault.oneServer && overlaps(fault, { start: begun, end: until }))
  const accepted = [...refreshes, ...accesses].find(
    ({ status, start }) => status === 200 && start > end + finish && !disturbed(start),
  )
  return accepted ? [sentence(session, `a token (${accepted.kind})`, accepted, end)] : []
}

function sentence(session: string, what: string, request: { start: number; server: number }, end: number) {
  const late = Math.round(request.start - end)
  return `session ${session}: ${what} was accepted by server ${request.server}, asked ${late} ms after the end`
}
