import { Type } from '@sinclair/typebox'

export const Me = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    email: Type.String(),
    roles: Type.Array(Type.String()),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { $id: 'Me', additionalProperties: false },
)
