import type { EventDetails, EventType } from './event.ts'

/** An event as the webhook sends it, but for the id under which it is stored. It is frozen. */
export interface ListenedEvent<T extends EventType = EventType> {
  /** RFC 3339, in UTC. */
  readonly at: string
  readonly type: T
  readonly userId?: string
  readonly sessionId?: string
  /** The user who acted, if that is not the user that the event is about. */
  readonly actorId?: string
  readonly ip?: string
  readonly userAgent?: string
  readonly detail: EventDetails[T]
}

export type EventListener<T extends EventType = EventType> = (
  event: ListenedEvent<T>,
) => void | Promise<void>
