import { type Static, Type } from '@sinclair/typebox'

export const TokenPair = Type.Object(
  {
    accessToken: Type.String({ description: 'JWT (RFC 9068): send it as `Authorization: Bearer`' }),
    refreshToken: Type.String({
      description: 'Good for one refresh, which answers with its successor',
    }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'Life of the access token, in seconds' }),
    refreshExpiresIn: Type.Integer({ description: 'Life of the refresh token, in seconds' }),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { $id: 'TokenPair', additionalProperties: false },
)
export type TokenPair = Static<typeof TokenPair>

/** A token pair as it is answered: what went into the cookie is not in the body. */
export const DeliveredTokens = Type.Object(
  {
    ...TokenPair.properties,
    refreshToken: Type.Optional(
      Type.String({ description: 'Good for one refresh; absent where the cookie has it' }),
    ),
  },
  { $id: 'DeliveredTokens', additionalProperties: false },
)
export type DeliveredTokens = Static<typeof DeliveredTokens>
