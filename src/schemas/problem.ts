import { type Static, Type } from '@sinclair/typebox'

/** RFC 9457. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'The `code` as a URN' }),
    title: Type.String({
      description: 'What went wrong, in English. The same for the same `code`.',
    }),
    status: Type.Integer({ description: 'The HTTP status' }),
    detail: Type.Optional(Type.String({ description: 'More about this occurrence' })),
    code: Type.String({ description: 'A stable name of the problem. Programs may rely on it.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({
            description: 'Such as `email` or `roles.0`. Empty for the request as a whole.',
          }),
          message: Type.String({ description: 'Such as `must be an e-mail address`' }),
        }),
        { description: 'What is wrong with which field, for a form to show' },
      ),
    ),
    error: Type.Optional(
      Type.String({ description: 'Only on routes under `/oauth`: the code of RFC 6749 5.2' }),
    ),
  },
  { title: 'Problem', additionalProperties: false },
)
export type Problem = Static<typeof Problem>
