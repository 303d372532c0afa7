import { type Static, Type } from '@sinclair/typebox'
import { EVENT_TYPES } from '../events/event-types.ts'
import { explained } from './explained.ts'
import { UserId } from './user-id.ts'

const Id = (description: string) => Type.String({ format: 'uuid', description })

const RecordedEvent = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    at: Type.String({ format: 'date-time', description: 'When it happened' }),
    // Any text: a newer node may have recorded a type that this one does not know.
    type: Type.String({ examples: EVENT_TYPES }),
    userId: Type.Optional(Type.String({ description: 'The user whom the event concerns' })),
    sessionId: Type.Optional(Id('The session that the event concerns')),
    actorId: Type.Optional(Type.String({ description: 'The administrator who caused the event' })),
    ip: Type.Optional(Type.String({ description: 'Where the request came from' })),
    userAgent: Type.Optional(Type.String()),
    detail: Type.Record(Type.String(), Type.Unknown(), {
      description: 'More about the event. The fields depend on the type.',
    }),
  },
  { title: 'SecurityEvent', additionalProperties: false },
)

export const EventPage = Type.Object(
  {
    events: Type.Array(RecordedEvent),
    next: Type.Optional(
      Type.String({ description: 'The `cursor` of the next page. Absent on the last page.' }),
    ),
  },
  { title: 'EventPage', description: 'A page of events', additionalProperties: false },
)

const FilterId = (description: string) =>
  explained(
    'must be a UUID',
    Type.String({
      pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
      description,
    }),
  )

const DATE = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])'
const TIME = '([01]\\d|2[0-3]):[0-5]\\d'

/** An RFC 3339 timestamp whose month, hour and minute exist. */
export const Moment = explained(
  'must be a time such as 2026-01-31T12:00:00Z',
  Type.String({
    pattern: `^${DATE}T${TIME}:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]${TIME})$`,
    examples: ['2026-01-31T12:00:00Z'],
  }),
)

export const EventQuery = Type.Object(
  {
    type: Type.Optional(
      Type.Union(
        EVENT_TYPES.map((type) => Type.Literal(type)),
        { description: 'Only events of this type' },
      ),
    ),
    userId: Type.Optional(
      Type.String({ ...UserId, description: 'Only events that concern this user' }),
    ),
    sessionId: Type.Optional(FilterId('Only events that concern this session')),
    from: Type.Optional(
      Type.String({ ...Moment, description: 'Only events at or after this time (RFC 3339)' }),
    ),
    to: Type.Optional(
      Type.String({ ...Moment, description: 'Only events before this time (RFC 3339)' }),
    ),
    // Not an integer: the validator would cut off a fraction instead of refusing it.
    limit: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 200,
        multipleOf: 1,
        description: 'The maximum number of events, from 1 to 200, and 50 by default',
      }),
    ),
    cursor: Type.Optional(FilterId('The `next` of the previous page')),
  },
  { additionalProperties: false },
)
export type EventQuery = Static<typeof EventQuery>
