/**
 * How theft is found, as an observer at the front door would tell it who sees when the thief and the victim are served.
 *
 * A refresh counts when a party is served for a token of his for the first time; that he asks for the same answer again
 * is no new refresh. Refreshes count from the theft, or from the last loss of hot state if that is later. The claim:
 *
 *   Once one party was served later than the grace after the other's latest refresh, the other's next refresh is
 *   refused, and with it the session is at an end, if it comes later than the grace after that one.
 *
 * So where both go on, and neither is served within the grace of the other, the second refresh that comes more than the
 * grace after the other's is the end at the latest. What is not claimed: a thief who is served within the grace after each
 * refresh of the victim, and so always has the victim's own line, is not found while he keeps that up (the victim's
 * refreshes are late, his own never are). And a loss of hot state starts the count anew: with it goes the knowledge that
 * a token was spent, so that a thief who was about to be found has the same respite once more.
 */
import { LATER } from './model.ts'

export const NEVER = -1

export interface Pursuit {
  /** The generation that the thief copied, or 0; and the newest one that he has. */
  stolen: number
  loot: number
  /** The victim was served for its newest token, whether or not the answer has arrived. */
  victimDecided: boolean
  /** Ticks since the latest refresh of each. */
  victim: number
  thief: number
  /** Who was served later than the grace after the other's latest refresh, and for how many ticks that stands. */
  leader: '' | 'victim' | 'thief'
  ahead: number
  /** The claim does not hold. */
  escaped: boolean
}

export const UNTOUCHED: Pursuit = {
  stolen: 0,
  loot: 0,
  victimDecided: false,
  victim: NEVER,
  thief: NEVER,
  leader: '',
  ahead: NEVER,
  escaped: false,
}

/** The count starts anew. */
export function afterLoss(pursuit: Pursuit): Pursuit {
  return { ...pursuit, victim: NEVER, thief: NEVER, leader: '', ahead: NEVER }
}

export function afterRefresh(
  pursuit: Pursuit,
  who: string,
  generation: number,
  served: boolean,
): Pursuit {
  if (!served) return pursuit
  const isThief = who === 'thief'
  const isFirst = isThief ? generation === pursuit.loot : !pursuit.victimDecided
  if (!isFirst) return pursuit

  const known = isThief ? { ...pursuit, loot: generation + 1 } : { ...pursuit, victimDecided: true }
  if (pursuit.stolen === 0) return known
  const self = isThief ? 'thief' : 'victim'
  const other = isThief ? 'victim' : 'thief'
  const now = { ...known, [self]: 0 }
  if (pursuit.leader === other)
    return { ...now, leader: '', ahead: NEVER, escaped: pursuit.ahead >= LATER }
  if (pursuit.leader === '' && pursuit[other] >= LATER) return { ...now, leader: self, ahead: 0 }
  return now
}
