import { Type } from '@sinclair/typebox'
import { TokenDelivery } from './delivery.ts'
import { explained } from './explained.ts'

/** The limit is far above the length of any token of ours. Longer text is refused unread. */
const RefreshToken = Type.String({
  minLength: 1,
  maxLength: 4096,
  description: 'Not needed if the token comes in the cookie or as bearer',
})

/** Null if the token comes in another way: in the cookie, or as bearer. */
export const RefreshBody = Type.Union([
  Type.Object(
    { refreshToken: RefreshToken },
    { title: 'RefreshBody', additionalProperties: false },
  ),
  Type.Null(),
])

export const RefreshHeaders = Type.Object({
  'x-token-delivery': TokenDelivery,
  'idempotency-key': Type.Optional(
    explained(
      'must have 16 to 128 characters of ASCII without spaces',
      Type.String({
        pattern: '^[\\x21-\\x7e]{16,128}$',
        description:
          '16 to 128 characters, new for each attempt that is not a retry. If the response to a ' +
          'refresh is lost, the request can be repeated with the same key, however late, and ' +
          'gets the same refresh token.',
      }),
    ),
  ),
})
