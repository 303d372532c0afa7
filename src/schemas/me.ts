import { Type } from '@sinclair/typebox'
import { UserId } from './user-id.ts'

export const Me = Type.Object(
  {
    id: UserId,
    email: Type.Optional(Type.String({ description: 'Absent if the user has none here' })),
    emailVerified: Type.Optional(
      Type.Boolean({
        description:
          'Whether the user has proved that they read the mail of the address. Absent without one',
      }),
    ),
    roles: Type.Array(Type.String(), { description: 'The roles in the access token' }),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { title: 'Me', description: 'The user', additionalProperties: false },
)
