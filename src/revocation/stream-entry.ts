import type { Revocation } from './revocations.ts'

/** An entry of the Redis stream of revocations. */
export interface StreamEntry {
  id: string
  /** The id of the entry before it, which may have been trimmed. `NO_ENTRY` if there was none. */
  after: string
  /** The time of Redis at which it was first published, in milliseconds since 1970. */
  at: number
  /** Undefined if this version does not know the kind of revocation. */
  revocation: Revocation | undefined
}

/** Stands for the id of the last entry of an empty stream, and is below every id. */
export const NO_ENTRY = '0-0'

/** Parses an entry as Redis returns it: its id, and its fields with their values. */
export function parseEntry([id, fields]: [id: string, fields: string[]]): StreamEntry {
  const fieldOf = (name: string) => {
    const index = fields.indexOf(name)
    return index < 0 ? undefined : fields[index + 1]
  }
  return {
    id,
    after: fieldOf('after') ?? NO_ENTRY,
    at: Number(fieldOf('at') ?? timeOf(id)),
    revocation: parse(fieldOf('revocation')),
  }
}

/** Returns the time of Redis at which the entry was appended, in milliseconds since 1970. */
export function timeOf(id: string): number {
  return Number(id.split('-')[0])
}

/** Returns whether the entry with the first id comes before the one with the second id. */
export function isBefore(id: string, other: string): boolean {
  const [ms = 0, sequence = 0] = id.split('-').map(Number)
  const [otherMs = 0, otherSequence = 0] = other.split('-').map(Number)
  return ms === otherMs ? sequence < otherSequence : ms < otherMs
}

/** Returns undefined for a revocation that this version does not know. */
function parse(text: string | undefined): Revocation | undefined {
  try {
    const { kind, ...rest } = JSON.parse(text ?? '')
    return ['session', 'user', 'everything', 'key'].includes(kind) ? { kind, ...rest } : undefined
  } catch {
    return undefined
  }
}
