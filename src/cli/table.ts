import type { Terminal } from './terminal.ts'

/** Characters: the width that every terminal has. */
const WIDTH = 80
const GAP = '  '

/** Characters of a session's id in tables: the milliseconds of its start, and 12 more bits. */
export const SHOWN_OF_SESSION = 18

export interface Table {
  heading: readonly string[]
  rows: readonly (readonly string[])[]
  /** What to print if there are no rows. */
  none: string
  /** The value of `--after` for the next page, if there is one. */
  next?: string | undefined
}

export function printTable(
  { stdout, stderr }: Terminal,
  { heading, rows, none, next }: Table,
): void {
  stdout.write(rows.length > 0 ? formatTable(heading, rows) : `${none}\n`)
  if (next !== undefined) stderr.write(`There are more. For the next page, add --after ${next}\n`)
}

export function printJson({ stdout }: Terminal, value: unknown): void {
  stdout.write(`${JSON.stringify(value)}\n`)
}

/**
 * Formats rows under a heading. Columns are as wide as their longest entry. If the table does not
 * fit the terminal, the widest columns are cut.
 */
function formatTable(heading: readonly string[], rows: readonly (readonly string[])[]): string {
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

/** Formats a time in milliseconds since 1970 as UTC, to the minute. */
export function formatTime(ms: number | null): string {
  return ms === null ? '-' : `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`
}
