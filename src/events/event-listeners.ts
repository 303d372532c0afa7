import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import type { EventType } from './event.ts'
import { EVENT_TYPES } from './event-types.ts'
import type { EventListener, ListenedEvent } from './listened-event.ts'

export type EventListeners = ReturnType<typeof createEventListeners>

/** Creates the list of the application's listeners. A listener that fails harms nothing. */
export function createEventListeners(log: Pick<Log, 'warn'>) {
  const listeners = new Map<EventType, Set<EventListener>>()

  async function call(listener: EventListener, event: ListenedEvent): Promise<void> {
    try {
      await listener(event)
    } catch (error) {
      log.warn(
        { event: 'listener_failed', type: event.type, reason: errorText(error) },
        'a listener of the application failed',
      )
    }
  }

  return {
    /** Adds a listener. Returns a function that removes it. */
    on<T extends EventType>(type: T, given: EventListener<T>): () => void {
      if (!EVENT_TYPES.includes(type)) throw new TypeError(`there is no event type ${type}`)
      // An event of a type is given to listeners of that type only.
      const listener = given as unknown as EventListener
      const own = listeners.get(type) ?? new Set()
      listeners.set(type, own.add(listener))
      return () => void own.delete(listener)
    },

    /**
     * Calls the listeners of events that are committed. Returns at once: each listener runs in a
     * turn of its own, so that none of them delays a response or another listener.
     */
    emit(events: readonly ListenedEvent[]): void {
      for (const event of events)
        for (const listener of listeners.get(event.type) ?? [])
          setImmediate(() => void call(listener, Object.freeze({ ...event })))
    },
  }
}
