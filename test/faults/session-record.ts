import type { Access, Answered, Event, Fault, Logout, Opened, Refresh, Span } from './record.ts'

/** The promises, in milliseconds. */
export interface Rules {
  grace: number
  /** The time for which an access token may still be accepted after the end was acknowledged. */
  revocationMaxStaleness: number
  /** The time that the other servers have to finish a revocation after a server died during it. */
  finish: number
  /** The time for which a request without a response may still be carried out. */
  heldUp: number
}

/** The events of one session, in the order in which they were sent. */
export interface SessionRecord {
  session: string
  opened: Opened[]
  refreshes: Refresh[]
  logouts: Logout[]
  accesses: Access[]
  /** When the end was acknowledged, if it was. */
  endedAt: number | undefined
}

export function isAnswered(event: Event): event is Answered {
  return ['opened', 'refresh', 'logout', 'access'].includes(event.kind)
}

export function bySession(events: readonly Event[]): SessionRecord[] {
  const sessions = new Map<string, SessionRecord>()
  const ordered = events.filter(isAnswered).sort((a, b) => a.start - b.start)
  for (const event of ordered) {
    const { session } = event
    const empty = { opened: [], refreshes: [], logouts: [], accesses: [], endedAt: undefined }
    const record = sessions.get(session) ?? { session, ...empty }
    sessions.set(session, record)
    switch (event.kind) {
      case 'opened':
        record.opened.push(event)
        break
      case 'refresh':
        record.refreshes.push(event)
        break
      case 'logout':
        record.logouts.push(event)
        break
      case 'access':
        record.accesses.push(event)
    }
  }
  for (const record of sessions.values()) record.endedAt = acknowledgedEnd(record)
  return [...sessions.values()]
}

/**
 * Returns a logout that got 204, or a refresh of the owner's that was refused. If a logout was sent
 * and got no response, a refusal proves less: the server may have died during the revocation, so
 * that no client was informed of the end.
 */
function acknowledgedEnd({ logouts, refreshes }: SessionRecord): number | undefined {
  const loggedOut = logouts.filter(({ status }) => status === 204)
  const refused = refreshes.filter(
    ({ status, end }) => status === 401 && !logouts.some(({ start }) => start < end),
  )
  const ends = [...loggedOut, ...refused].map(({ end }) => end)
  return ends.length > 0 ? Math.min(...ends) : undefined
}

/**
 * Returns whether any refresh up to that time may count as theft: one that was not served, and
 * whose token, or a newer one, had been presented with another key or none, earlier than the grace
 * period before this one was judged. A refused request spent nothing, and a request that was not
 * sent had no effect.
 */
export function mayBeReuse(
  refreshes: readonly Refresh[],
  until: number,
  { grace, heldUp }: Rules,
): boolean {
  const asked = refreshes.filter(({ start, unsent }) => start <= until && !unsent)
  const spending = asked.filter(({ status }) => status !== 401)
  return asked.some((late) => {
    if (late.status === 200) return false
    const judgedBy = Math.min(until, late.status === 401 ? late.end : late.end + heldUp)
    const isRepeated = ({ presented, key }: Refresh) =>
      presented === late.presented && key !== undefined && key === late.key
    return spending.some(
      (earlier) =>
        earlier.generation >= late.generation &&
        earlier.start < judgedBy - grace &&
        earlier !== late &&
        !isRepeated(earlier),
    )
  })
}

export function overlaps(fault: Fault, { start, end }: Span): boolean {
  return fault.start <= end && fault.end >= start
}

/**
 * Returns whether writes may have been lost in that period. If so, responses from before it prove
 * nothing about what follows it.
 */
export function lostWrites(faults: readonly Fault[], span: Span): boolean {
  return faults.some((fault) => fault.losesWrites && overlaps(fault, span))
}

export function spanOf(spans: readonly Span[]): Span {
  return {
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
  }
}
