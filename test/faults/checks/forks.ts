import { groupBy } from '../group-by.ts'
import type { Fault, Refresh } from '../record.ts'
import { lostWrites, type SessionRecord, spanOf } from '../session-record.ts'

/**
 * Returns the generations for which two different successors were delivered, to any client. It is
 * excused if writes were lost between the first request that got a successor and the last response
 * with another one: the first successor may be forgotten.
 */
export function forks({ session, refreshes }: SessionRecord, faults: readonly Fault[]): string[] {
  const delivered = groupBy(
    refreshes.filter(({ status, returned }) => status === 200 && returned),
    ({ generation }) => generation,
  )
  const found: string[] = []
  for (const [generation, answers] of delivered) {
    const successors = new Set(answers.map(({ returned }: Refresh) => returned))
    if (successors.size > 1 && !lostWrites(faults, spanOf(answers)))
      found.push(`session ${session}: generation ${generation} had ${successors.size} successors`)
  }
  return found
}
