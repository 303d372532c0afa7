import type { Access, Answered, Event, Fault, Logout, Opened, Refresh, Span } from './record.ts'

/** What was promised, in milliseconds. */
export interface Rules {
  grace: number
  /** How long after an acknowledged ending an access token may still be accepted. */
  revocationMaxStaleness: number
  /** How long after a server died half-way through an ending the others may take to finish it. */
  finish: number
  /** How long after a request went without its answer it may still be carried out. */
  heldUp: number
}

/** What the record has about one session, in the order of sending. */
export interface SessionRecord {
  session: string
  opened: Opened[]
  refreshes: Refresh[]
  logouts: Logout[]
  accesses: Access[]
  /** When its end was acknowledged, if it was. */
  endedAt: number | undefined
}

export function isAnswered(event: Event): event is Answered {
  return event.kind !== 'fault' && event.kind !== 'crash'
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
 * A logout that was answered 204, or a refresh token of ours that was refused. A refusal after a logout was begun and not
 * answered proves less: the server that was to end the session may have died half-way, and nobody was told that it is over.
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
 * Whether any refresh up to then may have been taken for theft: one that was not served, whose token, or a newer one, had been
 * presented more than the grace before this one was judged, by whoever had another key or none. What was refused spent nothing,
 * and what was not sent did nothing at all.
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

/** Whether writes may have been lost in that time: then what was answered before it binds nobody after it. */
export function lostWrites(faults: readonly Fault[], span: Span): boolean {
  return faults.some((fault) => fault.losesWrites && overlaps(fault, span))
}

export function spanOf(spans: readonly Span[]): Span {
  return {
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
  }
}
