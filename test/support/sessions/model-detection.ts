/**
 * How theft is detected, as an observer describes it who sees when the thief and the victim are
 * served.
 *
 * A refresh counts when a party is served for one of its tokens for the first time. A repeated
 * request for the same response is not another refresh. Refreshes count from the theft, or from the
 * last loss of hot state if that is later. The claim:
 *
 *   Once one party was served more than the grace after the other's latest refresh, the other's
 *   next refresh is refused, and the session is revoked, if it comes more than the grace later.
 *
 * So if both refresh, and neither is served within the grace of the other, the session ends at the
 * latest at the second refresh that comes more than the grace after the other's.
 *
 * Two things are not claimed. A thief who is served within the grace after each refresh of the
 * victim has the victim's own tokens each time, and is not detected while that goes on: the
 * victim's refreshes are late, the thief's never are. And a loss of hot state starts the count
 * again, because the knowledge that a token was spent is lost, or when it was spent if the clock is
 * set back. A thief who was about to be detected gets the same time once more.
 */
import { NEVER, PAST_GRACE } from './model.ts'

export interface Detection {
  /** The generation that the thief copied, or 0. */
  stolen: number
  /** The newest generation that the thief has. */
  thiefNewest: number
  /** The victim was served for its newest token, whether or not the response has arrived. */
  isVictimServed: boolean
  /** Ticks since the victim's latest refresh. */
  victim: number
  /** Ticks since the thief's latest refresh. */
  thief: number
  /** The party that was served more than the grace after the other's latest refresh. */
  leader: '' | 'victim' | 'thief'
  /** Ticks for which that party has been the leader. */
  ahead: number
  /** Whether the claim was broken: both went on. */
  isUndetected: boolean
}

export const BEFORE_THEFT: Detection = {
  stolen: 0,
  thiefNewest: 0,
  isVictimServed: false,
  victim: NEVER,
  thief: NEVER,
  leader: '',
  ahead: NEVER,
  isUndetected: false,
}

/** Starts the count again. */
export function afterLoss(detection: Detection): Detection {
  return { ...detection, victim: NEVER, thief: NEVER, leader: '', ahead: NEVER }
}

export function afterRefresh(
  detection: Detection,
  who: string,
  generation: number,
  served: boolean,
): Detection {
  if (!served) return detection
  const isThief = who === 'thief'
  const isFirst = isThief ? generation === detection.thiefNewest : !detection.isVictimServed
  if (!isFirst) return detection

  const known = isThief
    ? { ...detection, thiefNewest: generation + 1 }
    : { ...detection, isVictimServed: true }
  if (detection.stolen === 0) return known
  const self = isThief ? 'thief' : 'victim'
  const other = isThief ? 'victim' : 'thief'
  const now = { ...known, [self]: 0 }
  if (detection.leader === other)
    return { ...now, leader: '', ahead: NEVER, isUndetected: detection.ahead >= PAST_GRACE }
  if (detection.leader === '' && detection[other] >= PAST_GRACE)
    return { ...now, leader: self, ahead: 0 }
  return now
}
