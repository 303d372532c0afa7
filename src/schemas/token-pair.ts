import { type Static, Type } from '@sinclair/typebox'

export const TokenPair = Type.Object(
  {
    accessToken: Type.String({ description: 'JWT (RFC 9068): send it as `Authorization: Bearer`' }),
    refreshToken: Type.String({ description: 'Good for one refresh, which answers with its successor' }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Life of the access token, in seconds' }),
    refreshExpiresIn: Type.Integer({ description: 'Life of the refresh token, in seconds' }),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { $id: 'TokenPair', additionalProperties: false },
)
export type TokenPair = Static<typeof TokenPair>
