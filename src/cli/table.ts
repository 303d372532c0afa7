/** Rows under a heading, in columns as wide as their longest entry. */
export function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  const format = (line: readonly string[]) =>
    line.map((entry, column) => entry.padEnd(widths[column] ?? 0)).join('  ')
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('')
}

/** To the minute, in UTC. */
export function formatTime(ms: number | null): string {
  return ms === null ? '-' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`
}
