import { Type } from '@sinclair/typebox'
import { Email, Password } from './credentials.ts'
import { explained } from './explained.ts'

const Token = explained(
  'is not the token of a link',
  Type.String({
    pattern: '^[A-Za-z0-9._-]{1,512}$',
    description: 'The token of the link in the mail',
  }),
)

export const ForgottenPassword = Type.Object(
  { email: Email },
  { title: 'ForgottenPassword', additionalProperties: false },
)

export const PasswordReset = Type.Object(
  { token: Token, newPassword: Password },
  { title: 'PasswordReset', additionalProperties: false },
)

export const AddressProof = Type.Object(
  { token: Token },
  { title: 'AddressProof', additionalProperties: false },
)

export const AddressChange = Type.Object(
  { email: Email, currentPassword: Type.Optional(Password) },
  { title: 'AddressChange', additionalProperties: false },
)

/** The body is empty, so nothing is serialized. */
export const Accepted = Type.Unsafe<undefined>({
  type: 'null',
  description: 'Accepted. A mail follows if there is reason.',
})
