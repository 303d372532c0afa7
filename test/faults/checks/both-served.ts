import { groupBy } from '../group-by.ts'
import type { Fault, Party, Refresh, Span } from '../record.ts'
import { lostWrites, type Rules, type SessionRecord, spanOf } from '../session-record.ts'

/**
 * All requests that a party made with one token. A retry belongs to the refresh that it repeats,
 * however late it comes.
 */
interface Attempt extends Span {
  party: Party
  servedAt: number
}

/**
 * Returns the sessions in which thief and victim were both served for too long.
 *
 * The session moves between the two parties. A party takes over *late* if it first presents the
 * token of its refresh later than the grace period after every request that the other party has
 * made so far (with or without a response). A party that takes over late and is served spends the
 * newest token that the other party can have. If the other party then takes over late as well, its
 * token is spent. So two late take-overs in a row must not both be served: the second one is "the
 * second refresh that comes more than GRACE after the other's".
 *
 * In between, a thief who is within the grace period each time is served, with the same successor.
 * A violation is excused if writes were lost since the refresh before the first take-over.
 */
export function bothServed(
  { session, opened, refreshes }: SessionRecord,
  faults: readonly Fault[],
  { grace }: Rules,
): string[] {
  const asked = refreshes.filter(({ party }) => party !== 'probe')
  if (!asked.some(({ party, status }) => party === 'thief' && status === 200)) return []
  const login = opened.map((open): Attempt => ({ ...open, party: 'owner', servedAt: open.end }))
  const attempts = [...login, ...servedAttempts(asked)].sort((a, b) => a.servedAt - b.servedAt)

  const isLate = ({ party, start, servedAt }: Attempt) =>
    [...login, ...asked]
      .filter((other) => other.party !== party && other.start < servedAt)
      .every(({ end }) => start > end + grace)

  let previous: Attempt | undefined
  let lateSince: number | undefined
  for (const attempt of attempts) {
    if (previous && attempt.party !== previous.party) {
      const late = isLate(attempt)
      if (
        late &&
        lateSince !== undefined &&
        !lostWrites(faults, { start: lateSince, end: attempt.servedAt })
      )
        return [
          `session ${session}: the ${attempt.party} was served at ${Math.round(attempt.servedAt)}, though both went on`,
        ]
      lateSince = late ? previous.start : undefined
    }
    previous = attempt
  }
  return []
}

function servedAttempts(asked: readonly Refresh[]): Attempt[] {
  const byToken = groupBy(asked, ({ party, presented }) => `${party} ${presented}`)
  return [...byToken.values()].flatMap((requests) => {
    const [served] = requests.filter(({ status }) => status === 200)
    return served ? [{ ...spanOf(requests), party: served.party, servedAt: served.end }] : []
  })
}
