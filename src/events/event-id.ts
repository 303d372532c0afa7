import { randomBytes } from 'node:crypto'
import { v7 as uuid } from 'uuid'

/** The most milliseconds that an id has room for. */
const LATEST = 2 ** 48 - 1

/** What tells this process from others; its own ids differ by their count. */
const random = randomBytes(16)
let count = 0

/** An id whose order among others is that of time, and within a millisecond that in which this process made them. */
export function newEventId(at: number): string {
  count = (count + 1) % 2 ** 32
  return uuid({ msecs: at, seq: count, random })
}

/** Less than or equal to every id of that millisecond and later. */
export function firstIdAt(at: number): string {
  const time = Math.min(Math.max(Math.floor(at), 0), LATEST)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
