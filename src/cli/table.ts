/** Characters: what every terminal has. */
const WIDTH = 80
const GAP = '  '

/** Characters of a session's id: the time in milliseconds at which it was opened, and 12 bits more. */
export const SHOWN_OF_SESSION = 18

/** Rows under a heading, in columns as wide as their longest entry. Where that is too wide, the widest are cut. */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [heading, ...rows]
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1))
  while (total() > WIDTH) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  const format = (line: readonly string[]) =>
    line
      .map((entry, column) => cut(entry, widths[column] ?? 0).padEnd(widths[column] ?? 0))
      .join(GAP)
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('')
}

function cut(entry: string, width: number): string {
  return entry.length > width ? `${entry.slice(0, width - 1)}…` : entry
}

/** To the minute, in UTC. */
export function formatTime(ms: number | null): string {
  return ms === null ? '-' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`
}
