import { type Static, Type } from '@sinclair/typebox'

/** Unknown parameters are ignored (RFC 6749 3.2), and so is an unknown hint (RFC 7009 2.1). */
export const TokenForm = Type.Object(
  {
    token: Type.String({ minLength: 1, description: 'An access or refresh token' }),
    token_type_hint: Type.Optional(
      Type.String({
        examples: ['access_token', 'refresh_token'],
        description: '`access_token` or `refresh_token`. Anything else is ignored.',
      }),
    ),
  },
  { title: 'TokenForm' },
)

export const Empty = Type.Unsafe<undefined>({ type: 'null', description: 'Done' })

/** RFC 7662 2.2. */
export const Introspection = Type.Object(
  {
    active: Type.Boolean(),
    token_type: Type.Optional(Type.Literal('Bearer')),
    iss: Type.Optional(Type.String()),
    aud: Type.Optional(Type.String()),
    sub: Type.Optional(Type.String({ description: 'The id of the user' })),
    client_id: Type.Optional(Type.String()),
    sid: Type.Optional(Type.String({ description: 'The id of the session' })),
    jti: Type.Optional(Type.String()),
    iat: Type.Optional(Type.Integer({ description: 'Seconds since 1970' })),
    exp: Type.Optional(Type.Integer({ description: 'Seconds since 1970' })),
    auth_time: Type.Optional(
      Type.Integer({ description: 'When the user was authenticated, in seconds since 1970' }),
    ),
    amr: Type.Optional(
      Type.Array(Type.String(), { description: 'How the user was authenticated (RFC 8176)' }),
    ),
    roles: Type.Optional(Type.Array(Type.String())),
    permissions: Type.Optional(Type.Array(Type.String())),
    scope: Type.Optional(
      Type.String({ description: 'The roles again, for gateways that check nothing but scopes' }),
    ),
  },
  {
    title: 'Introspection',
    description:
      'The claims of an active token, with those that the application has added, or only ' +
      '`active: false`',
    additionalProperties: true,
  },
)
export type Introspection = Static<typeof Introspection>

/** RFC 8414 2. */
export const ServerMetadata = Type.Object(
  {
    issuer: Type.String(),
    jwks_uri: Type.String(),
    response_types_supported: Type.Array(Type.String()),
    grant_types_supported: Type.Array(Type.String()),
    revocation_endpoint: Type.String(),
    revocation_endpoint_auth_methods_supported: Type.Array(Type.String()),
    introspection_endpoint: Type.Optional(Type.String()),
    introspection_endpoint_auth_methods_supported: Type.Optional(Type.Array(Type.String())),
  },
  { title: 'ServerMetadata', description: 'The metadata', additionalProperties: false },
)
export type ServerMetadata = Static<typeof ServerMetadata>
