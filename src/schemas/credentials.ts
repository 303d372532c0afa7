import { type Static, Type } from '@sinclair/typebox'
import { explained } from './explained.ts'
import { UserId } from './user-id.ts'

/** A part of a domain name. */
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'

/**
 * The addresses that browsers accept (HTML, "valid e-mail address"). ASCII only, so that lower case
 * is well-defined.
 */
const EMAIL = `^[a-zA-Z0-9.!#$%&'*+/=?^_\`{|}~-]{1,64}@${LABEL}(?:\\.${LABEL})*$`

/**
 * Any Unicode text that is well-formed. Half of a surrogate pair is not a character, and NUL is an
 * accident or an attack. Decoders put U+FFFD in place of bytes that are not UTF-8, so all passwords
 * that differ in such bytes would be equal.
 */
const WELL_FORMED = '^(?:[^\\u0000\\uFFFD\\uD800-\\uDFFF]|[\\uD800-\\uDBFF][\\uDC00-\\uDFFF])*$'

export const Email = explained(
  'must be an e-mail address',
  Type.String({
    maxLength: 254,
    pattern: EMAIL,
    examples: ['ada@example.com'],
    description: 'An e-mail address. Case does not matter.',
  }),
)

/** Lengths are in UTF-16 code units. The rules for new passwords count code points. */
export const Password = explained(
  'has a character that no keyboard can type',
  Type.String({
    minLength: 1,
    maxLength: 512,
    pattern: WELL_FORMED,
    examples: ['correct horse battery staple'],
    description: 'Any text of at most 512 characters without NUL',
  }),
)

export const Credentials = Type.Object(
  { email: Email, password: Password },
  { title: 'Credentials', additionalProperties: false },
)
export type Credentials = Static<typeof Credentials>

export const PasswordChange = Type.Object(
  { currentPassword: Password, newPassword: Password },
  { title: 'PasswordChange', additionalProperties: false },
)

/** The password of a user who is signed in. */
export const PasswordProof = Type.Object(
  { password: Password },
  { title: 'PasswordProof', additionalProperties: false },
)

/** The name of a role. It is short, because it travels in every access token. */
export const Role = explained(
  'must begin with a small letter and have at most 32 small letters, digits, and : _ -',
  Type.String({
    pattern: '^[a-z][a-z0-9:_-]{0,31}$',
    examples: ['admin'],
  }),
)

export const Roles = Type.Array(Role, {
  maxItems: 32,
  uniqueItems: true,
  description: 'All roles of the user: at most 32, each of letters, digits and `:_-`',
})

export const Status = Type.Union([Type.Literal('active'), Type.Literal('disabled')], {
  description: 'A disabled user cannot log in',
})

/**
 * A user whom an operator or an administrator creates. The service checks what a schema cannot say
 * about several fields.
 */
export const Seed = Type.Object(
  {
    id: Type.Optional(UserId),
    email: Type.Optional(Email),
    emailVerified: Type.Optional(
      Type.Boolean({
        description: 'Whether the user has proved that the address is theirs. False by default',
      }),
    ),
    password: Type.Optional(Password),
    passwordHash: Type.Optional(
      explained(
        'must be a password hash of at most 1024 characters',
        Type.String({
          pattern: '^[!-~]{1,1024}$',
          description:
            'Instead of `password`: the hash from another application, in any format of the ' +
            'guide about importing users',
        }),
      ),
    ),
    roles: Type.Optional(Roles),
    status: Type.Optional(Status),
  },
  { title: 'NewUser', additionalProperties: false, minProperties: 1 },
)
export type Seed = Static<typeof Seed>
