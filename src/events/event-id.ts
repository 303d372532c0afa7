import { randomBytes } from 'node:crypto'
import { v7 as uuid } from 'uuid'

/** The latest time that an id has room for, in milliseconds since 1970. */
const LATEST = 2 ** 48 - 1

/** Distinguishes the ids of this process from others. Its own ids differ by their count. */
const random = randomBytes(16)
let count = 0

/**
 * Returns an id for an event at the given time, in milliseconds since 1970. Ids sort by time,
 * and within one millisecond in the order in which this process created them.
 */
export function newEventId(at: number): string {
  count = (count + 1) % 2 ** 32
  return uuid({ msecs: at, seq: count, random })
}

/** Returns a lower bound: less than or equal to every id of that millisecond and of later ones. */
export function firstIdAt(at: number): string {
  const time = Math.min(Math.max(Math.floor(at), 0), LATEST)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
