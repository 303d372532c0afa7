import { groupBy } from '../group-by.ts'
import type { Fault, Party, Refresh, Span } from '../record.ts'
import { lostWrites, type Rules, type SessionRecord, spanOf } from '../session-record.ts'

/** Everything that a party asked with one token. A retry is the refresh that it repeats, however late it comes. */
interface Attempt extends Span {
  party: Party
  servedAt: number
}

/**
 * Sessions in which thief and victim both went on for too long.
 *
 * The session goes to and fro between the two. One of them takes over *late* if he first presents the token of his refresh
 * more than the grace after all that the other has asked so far (had an answer or not). Whoever takes over late, and is
 * served, spends the newest token that the other can have; if then the other takes over late as well, his is a spent token.
 * So two late take-overs in a row, both served, must not be: the second is 'the second refresh that came more than GRACE
 * after the other's'. In between, a thief who is within the grace each time is served (with the same line). Excused where
 * writes were lost since the refresh before the first of the two.
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
