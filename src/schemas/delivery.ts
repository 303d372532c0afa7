import { Type } from '@sinclair/typebox'

export const TokenDelivery = Type.Optional(
  Type.Union([Type.Literal('body'), Type.Literal('cookie')], {
    description:
      'Where the refresh token goes: into the body, or into a cookie that no script can read. A request by cookie is answered by cookie.',
  }),
)

export const DeliveryHeaders = Type.Object({ 'x-token-delivery': TokenDelivery })
