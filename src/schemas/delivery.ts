import { Type } from '@sinclair/typebox'

export const TokenDelivery = Type.Optional(
  Type.Union([Type.Literal('body'), Type.Literal('cookie')], {
    description:
      'Where to deliver the refresh token: in the body (the default), or in a cookie that no ' +
      'script can read. A refresh by cookie always gets its response by cookie.',
  }),
)

export const DeliveryHeaders = Type.Object({ 'x-token-delivery': TokenDelivery })

/** Of the routes that take a password. */
export const LoginHeaders = Type.Object({
  ...DeliveryHeaders.properties,
  'x-known-device': Type.Optional(
    Type.String({
      maxLength: 512,
      description:
        'What the header of this name said in the response to an earlier login. It keeps ' +
        'strangers who guess the password from locking out this device. Browsers have it in a ' +
        'cookie if they take the refresh token by cookie.',
    }),
  ),
})
