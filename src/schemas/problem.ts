import { type Static, Type } from '@sinclair/typebox'

/** RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A name for the kind of problem, as a URN' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    code: Type.String({ description: 'Stable: programs may rely on it' }),
    error: Type.Optional(
      Type.String({ description: 'Of the routes that OAuth defines: RFC 6749 5.2' }),
    ),
  },
  { $id: 'Problem', additionalProperties: false },
)
export type Problem = Static<typeof Problem>
