import { type Static, Type } from '@sinclair/typebox'
import { Role, Seed } from './credentials.ts'

const Roles = Type.Array(Role, { maxItems: 32, uniqueItems: true })
const Status = Type.Union([Type.Literal('active'), Type.Literal('disabled')])

export const UserView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String(),
    roles: Type.Array(Type.String()),
    status: Status,
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'User', additionalProperties: false },
)
export type UserView = Static<typeof UserView>

export const UserPage = Type.Object(
  {
    users: Type.Array(UserView),
    next: Type.Optional(
      Type.String({ description: 'The `cursor` of the next page; absent on the last' }),
    ),
  },
  { $id: 'UserPage', additionalProperties: false },
)

export const UserQuery = Type.Object(
  {
    email: Type.Optional(
      Type.String({
        pattern: "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~@-]{1,254}$",
        description: 'How the address begins, in whatever case',
      }),
    ),
    // Of an integer, the provider would cut the fraction off rather than refuse it.
    limit: Type.Optional(
      Type.Number({ minimum: 1, maximum: 100, multipleOf: 1, description: '50 unless given' }),
    ),
    cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,340}$' })),
  },
  { additionalProperties: false },
)
export type UserQuery = Static<typeof UserQuery>

export const NewUser = Seed
export type NewUser = Static<typeof NewUser>

export const UserPatch = Type.Object(
  {
    roles: Type.Optional(Roles),
    status: Type.Optional(Status),
    sessions: Type.Optional(
      Type.Union([Type.Literal('refresh'), Type.Literal('logout')], {
        description:
          'What becomes of his sessions: `refresh`, unless given, kills the access tokens, and the next refresh carries what is new; `logout` ends them. Those of a disabled user end in either case.',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type UserPatch = Static<typeof UserPatch>

/** Any text: what is no id is no user's. */
export const IdParams = Type.Object({ id: Type.String() }, { additionalProperties: false })
