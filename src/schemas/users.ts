import { type Static, Type } from '@sinclair/typebox'
import { Roles, Seed, Status } from './credentials.ts'
import { explained } from './explained.ts'
import { UserId } from './user-id.ts'

export const UserView = Type.Object(
  {
    id: UserId,
    email: Type.Optional(Type.String({ description: 'Absent if the user has none here' })),
    roles: Type.Array(Type.String()),
    status: Status,
    createdAt: Type.String({ format: 'date-time' }),
  },
  { title: 'User', description: 'The user', additionalProperties: false },
)
export type UserView = Static<typeof UserView>

export const UserPage = Type.Object(
  {
    users: Type.Array(UserView),
    next: Type.Optional(
      Type.String({ description: 'The `cursor` of the next page. Absent on the last page.' }),
    ),
  },
  { title: 'UserPage', description: 'A page of users', additionalProperties: false },
)

export const UserQuery = Type.Object(
  {
    email: Type.Optional(
      explained(
        'must be the beginning of an e-mail address',
        Type.String({
          pattern: "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~@-]{1,254}$",
          description: 'Only users whose address begins with this. Case does not matter.',
        }),
      ),
    ),
    // Not an integer: the validator would cut off a fraction instead of refusing it.
    limit: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 100,
        multipleOf: 1,
        description: 'The maximum number of users, from 1 to 100, and 50 by default',
      }),
    ),
    cursor: Type.Optional(
      explained(
        'is not the cursor of a page',
        Type.String({
          pattern: '^[A-Za-z0-9_-]{1,340}$',
          description: 'The `next` of the previous page',
        }),
      ),
    ),
  },
  { additionalProperties: false },
)

export const NewUser = Seed

export const UserPatch = Type.Object(
  {
    roles: Type.Optional(Roles),
    status: Type.Optional(Status),
    sessions: Type.Optional(
      Type.Union([Type.Literal('refresh'), Type.Literal('logout')], {
        description:
          "What happens to the user's sessions. `refresh` (the default) revokes the access " +
          'tokens, and the next refresh returns tokens with the new roles. `logout` ends the ' +
          'sessions. The sessions of a disabled user always end.',
      }),
    ),
  },
  { title: 'UserPatch', additionalProperties: false, minProperties: 1 },
)

/** Any text. A malformed id gets a 404, because it belongs to no user. */
export const IdParams = Type.Object({ id: Type.String() }, { additionalProperties: false })
