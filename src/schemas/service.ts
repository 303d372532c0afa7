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
    device: Type.Optional(Device),
  },
  { title: 'NewSession', additionalProperties: false },
)
