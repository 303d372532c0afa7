import type { Change, Client } from '../types.ts'

/** The session as components see it. The object is replaced only by a change. */
export type SessionState =
  | { status: 'loading' }
  | ({ status: 'signed-in' | 'signed-out' } & Partial<Omit<Change, 'signedIn'>>)

export const LOADING: SessionState = { status: 'loading' }

const states = new WeakMap<Client, ReturnType<typeof createSessionState>>()

/** Returns the state of a client's session. A component that is mounted again gets the same one. */
export function sessionStateOf(client: Client) {
  const state = states.get(client) ?? createSessionState(client)
  states.set(client, state)
  return state
}

/** Creates the state of a client's session. It does nothing until the first subscription. */
function createSessionState(client: Client) {
  const subscribers = new Set<() => void>()
  let state = LOADING
  let last: Partial<Change> = {}
  let isStarted = false

  function update(): void {
    const { sessionId } = client
    const { reason, elsewhere } = last
    const status = sessionId ? 'signed-in' : 'signed-out'
    state = { status, sessionId, ...(reason && { reason, elsewhere: !!elsewhere }) }
    for (const notify of subscribers) notify()
  }

  function start(): void {
    isStarted = true
    client.onChange((change) => {
      last = change
      if (state !== LOADING) update()
    })
    // Only the server knows whether the session is good. If it cannot be reached, the last known
    // session counts, as everywhere in the client.
    client.token().then(update, update)
  }

  return {
    client,
    get: () => state,
    subscribe(notify: () => void): () => void {
      subscribers.add(notify)
      if (!isStarted) start()
      return () => subscribers.delete(notify)
    },
  }
}
