import { Type } from '@sinclair/typebox'

export const Me = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String(),
    roles: Type.Array(Type.String(), { description: 'The roles in the access token' }),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { title: 'Me', description: 'The user', additionalProperties: false },
)
