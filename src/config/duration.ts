const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export const DURATION = '^\\d{1,9}(ms|s|m|h|d)$'

/** `15m` in milliseconds. Takes only what matches `DURATION`. */
export function parseDuration(text: string): number {
  const unit = text.replace(/^\d+/, '') as keyof typeof UNITS
  return Number.parseInt(text, 10) * UNITS[unit]
}
