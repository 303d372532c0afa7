const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const DURATION = /^\d{1,9}(ms|s|m|h|d)$/

/** Returns the milliseconds of a duration such as `15m`, or undefined if the text is not one. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  const unit = text.replace(/^\d+/, '') as keyof typeof UNITS
  return Number.parseInt(text, 10) * UNITS[unit]
}
