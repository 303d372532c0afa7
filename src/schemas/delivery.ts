import { Type } from '@sinclair/typebox'

export const TokenDelivery = Type.Optional(
  Type.Union([Type.Literal('body'), Type.Literal('cookie')], {
    description:
      'Where to deliver the refresh token: in the body (the default), or in a cookie that no ' +
      'script can read. A refresh by cookie always gets its response by cookie.',
  }),
)

export const DeliveryHeaders = Type.Object({ 'x-token-delivery': TokenDelivery })
