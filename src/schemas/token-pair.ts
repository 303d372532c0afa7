import { type Static, Type } from '@sinclair/typebox'

export const TokenPair = Type.Object(
  {
    accessToken: Type.String({
      description: 'A JWT (RFC 9068), to be sent as `Authorization: Bearer`',
    }),
    refreshToken: Type.String({
      description: 'Valid for one refresh, which returns its successor',
    }),
    tokenType: Type.Literal('Bearer'),
    expiresIn: Type.Integer({ description: 'The lifetime of the access token in seconds' }),
    refreshExpiresIn: Type.Integer({
      description: 'The lifetime of the refresh token in seconds',
    }),
    sessionId: Type.String({ format: 'uuid' }),
  },
  { additionalProperties: false },
)
export type TokenPair = Static<typeof TokenPair>

/** A token pair in a response. A refresh token that went into the cookie is not in the body. */
export const DeliveredTokens = Type.Object(
  {
    ...TokenPair.properties,
    refreshToken: Type.Optional(
      Type.String({
        description:
          'Valid for one refresh, which returns its successor. Absent if it was delivered in ' +
          'the cookie.',
      }),
    ),
  },
  { title: 'TokenPair', description: 'The tokens', additionalProperties: false },
)
export type DeliveredTokens = Static<typeof DeliveredTokens>
