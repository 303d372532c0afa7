import { type Static, Type } from '@sinclair/typebox'

const Moment = Type.String({ format: 'date-time' })
const Nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

export const Session = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    current: Type.Boolean({ description: 'Whether it is that of the access token which asks' }),
    createdAt: Moment,
    lastSeenAt: Type.String({
      format: 'date-time',
      description: 'The last refresh, as of a few seconds ago',
    }),
    expiresAt: Type.String({
      format: 'date-time',
      description: 'At the latest: without a refresh it ends earlier',
    }),
    device: Nullable('As in `Firefox on Linux`, where the user agent says so'),
    userAgent: Nullable('Of the login'),
    ip: Nullable('Of the login'),
  },
  { $id: 'Session', additionalProperties: false },
)
export type Session = Static<typeof Session>

export const SessionList = Type.Object(
  { sessions: Type.Array(Session) },
  { $id: 'SessionList', additionalProperties: false },
)

export const EndQuery = Type.Object(
  { except: Type.Optional(Type.Literal('current')) },
  { additionalProperties: false },
)
