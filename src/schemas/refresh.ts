import { Type } from '@sinclair/typebox'
import { TokenDelivery } from './delivery.ts'

/** Far longer than any token of ours: what is longer is refused before it is looked at. */
const RefreshToken = Type.String({ minLength: 1, maxLength: 4096 })

/** None where the token comes in another way: as a cookie, or as bearer. */
export const RefreshBody = Type.Union([
  Type.Object({ refreshToken: RefreshToken }, { additionalProperties: false }),
  Type.Null(),
])

export const RefreshHeaders = Type.Object({
  'x-token-delivery': TokenDelivery,
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{16,128}$',
      description:
        '16 to 128 characters, new for each attempt that is not a retry. With it, a refresh whose response was lost can be repeated, however late, and is answered with the same refresh token.',
    }),
  ),
})
