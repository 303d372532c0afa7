import { type Static, Type } from '@sinclair/typebox'

/** What browsers take for an address (HTML, "valid e-mail address"); ASCII, so that its case is nobody's question. */
const EMAIL =
  "^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$"

/**
 * Any Unicode text, but whole: half a surrogate pair is not a character, NUL is an accident or an attack, and U+FFFD is
 * what a decoder puts in place of bytes that are no UTF-8: a password with it would be as good as any other such one.
 */
const WELL_FORMED = '^(?:[^\\u0000\\uFFFD\\uD800-\\uDFFF]|[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])*$'

export const Email = Type.String({ maxLength: 254, pattern: EMAIL, examples: ['ada@example.com'] })

/** In UTF-16 code units; the rules for new passwords count code points. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 512,
  pattern: WELL_FORMED,
  examples: ['correct horse battery staple'],
})

export const Credentials = Type.Object(
  { email: Email, password: Password },
  { $id: 'Credentials', additionalProperties: false },
)
export type Credentials = Static<typeof Credentials>

export const PasswordChange = Type.Object(
  { currentPassword: Password, newPassword: Password },
  { $id: 'PasswordChange', additionalProperties: false },
)
export type PasswordChange = Static<typeof PasswordChange>

/** A role's name, short and plain: it travels in every access token. */
export const Role = Type.String({ pattern: '^[a-z][a-z0-9:_-]{0,31}$', examples: ['admin'] })

/** A user to be made by an operator or an administrator. */
export const Seed = Type.Object(
  {
    email: Email,
    password: Password,
    roles: Type.Optional(Type.Array(Role, { maxItems: 32, uniqueItems: true })),
    status: Type.Optional(Type.Union([Type.Literal('active'), Type.Literal('disabled')])),
  },
  { additionalProperties: false },
)
export type Seed = Static<typeof Seed>
