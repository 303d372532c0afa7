import { Type } from '@sinclair/typebox'
import { Email, Roles, Status } from './credentials.ts'
import { UserId } from './user-id.ts'

const Device = Type.Object(
  {
    ip: Type.Optional(
      Type.String({ maxLength: 64, description: 'The IP address that the user came from' }),
    ),
    userAgent: Type.Optional(
      Type.String({ maxLength: 4096, description: "The `User-Agent` of the user's request" }),
    ),
  },
  { title: 'Device', description: 'Where the user is, for the list of sessions' },
)

export const ApplicationUser = Type.Object(
  {
    id: UserId,
    email: Type.Optional(
      Type.Union([Email, Type.Null()], { description: 'Null removes the address' }),
    ),
    roles: Type.Optional(Roles),
    status: Type.Optional(Status),
  },
  { title: 'ApplicationUser', additionalProperties: false },
)

export const NewSession = Type.Object(
  {
    user: Type.Omit(ApplicationUser, ['status']),
    amr: Type.Array(Type.String({ pattern: '^[A-Za-z0-9._:-]{1,32}$', examples: ['pwd', 'otp'] }), {
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
      description: 'How the user was authenticated: values of RFC 8176, such as `pwd` or `otp`',
    }),
    authTime: Type.Optional(
      Type.Integer({
        minimum: 0,
        // A time in milliseconds is greater.
        maximum: 99_999_999_999,
        description:
          'When the user was authenticated, in seconds since 1970, and now by default. The ' +
          '`auth_time` of an ID token.',
      }),
    ),
    claims: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'What every access token of the session contains: 1 kB at most, as JSON',
      }),
    ),
    device: Type.Optional(Device),
  },
  { title: 'NewSession', additionalProperties: false },
)
