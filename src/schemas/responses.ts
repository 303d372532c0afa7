import { type TSchema, Type } from '@sinclair/typebox'
import { Problem } from './problem.ts'

/** The errors of a route, for its `response` schema: a problem for each status. */
export function problems<const S extends number>(...statuses: S[]): Record<S, TSchema> {
  return Object.fromEntries(
    statuses.map((status) => [status, problemResponse]),
  ) as unknown as Record<S, TSchema>
}

const problemResponse = Type.Unsafe<unknown>({
  description: 'See `code`',
  content: { 'application/problem+json': { schema: Problem } },
})

export const NoContent = Type.Null({ description: 'Done' })
