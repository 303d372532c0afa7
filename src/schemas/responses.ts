import { type TUnsafe, Type } from '@sinclair/typebox'
import { Problem } from './problem.ts'

/**
 * Returns the part of a route's `response` schema that describes its errors. Its type is `never`:
 * handlers throw errors and do not return them, so what a handler returns must fit the schema of
 * its success.
 */
export function problems<const S extends number>(...statuses: S[]): Record<S, TUnsafe<never>> {
  return Object.fromEntries(
    statuses.map((status) => [status, problemResponse]),
  ) as unknown as Record<S, TUnsafe<never>>
}

const problemResponse = Type.Unsafe<never>({
  description: 'See `code`',
  content: { 'application/problem+json': { schema: Problem } },
})

export const NoContent = Type.Null({ description: 'Done' })
