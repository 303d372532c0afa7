import { type Static, Type } from '@sinclair/typebox'
import type { SessionView } from '../embedding/views.ts'

const Nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

const Session = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    current: Type.Boolean({
      description: 'Whether the access token of the request belongs to this session',
    }),
    createdAt: Type.String({ format: 'date-time' }),
    lastSeenAt: Type.String({
      format: 'date-time',
      description: 'The last refresh. A very recent one may be missing for a few seconds.',
    }),
    expiresAt: Type.String({
      format: 'date-time',
      description: 'The latest end of the session. Without refreshes it ends earlier.',
    }),
    device: Nullable('For example `Firefox on Linux`; null if the user agent does not name one'),
    userAgent: Nullable('The user agent at the login'),
    ip: Nullable('The IP address at the login'),
  },
  { title: 'Session', additionalProperties: false },
)

export const SessionList = Type.Object(
  { sessions: Type.Array(Session) },
  { title: 'SessionList', description: 'The live sessions', additionalProperties: false },
)

/** Returns sessions as they appear in responses. `currentId` is the session of the request. */
export function toSessionList(views: SessionView[], currentId: string): Static<typeof SessionList> {
  const sessions = views.map(({ createdAt, lastSeenAt, expiresAt, ...view }) => ({
    ...view,
    current: view.id === currentId,
    createdAt: new Date(createdAt).toISOString(),
    lastSeenAt: new Date(lastSeenAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }))
  return { sessions }
}

export const EndQuery = Type.Object(
  {
    except: Type.Optional(
      Type.Literal('current', { description: 'Keep the session of the access token' }),
    ),
  },
  { additionalProperties: false },
)
