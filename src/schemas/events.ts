import { type Static, Type } from '@sinclair/typebox'
import { EVENT_TYPES } from '../events/event-types.ts'

const Id = Type.String({ format: 'uuid' })

/** Of a new type that an older node does not know, too: the type is any text. */
export const RecordedEvent = Type.Object(
  {
    id: Id,
    at: Type.String({ format: 'date-time' }),
    type: Type.String({ examples: EVENT_TYPES }),
    userId: Type.Optional(Id),
    sessionId: Type.Optional(Id),
    actorId: Type.Optional(Id),
    ip: Type.Optional(Type.String()),
    userAgent: Type.Optional(Type.String()),
    detail: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'SecurityEvent', additionalProperties: false },
)

export const EventPage = Type.Object(
  {
    events: Type.Array(RecordedEvent),
    next: Type.Optional(
      Type.String({ description: 'The `cursor` of the next page; absent on the last' }),
    ),
  },
  { $id: 'EventPage', additionalProperties: false },
)

const GivenId = Type.String({
  pattern: '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$',
})

/** RFC 3339, of a day that there is. */
export const Moment = Type.String({
  pattern:
    '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$',
  examples: ['2026-01-31T12:00:00Z'],
})

export const EventQuery = Type.Object(
  {
    type: Type.Optional(Type.Union(EVENT_TYPES.map((type) => Type.Literal(type)))),
    userId: Type.Optional(GivenId),
    sessionId: Type.Optional(GivenId),
    from: Type.Optional(Moment),
    to: Type.Optional(Moment),
    // Of an integer, the provider would cut the fraction off rather than refuse it.
    limit: Type.Optional(
      Type.Number({ minimum: 1, maximum: 200, multipleOf: 1, description: '50 unless given' }),
    ),
    cursor: Type.Optional(GivenId),
  },
  { additionalProperties: false },
)
export type EventQuery = Static<typeof EventQuery>
