import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useSyncExternalStore,
} from 'react'
import type { Client } from '../types.ts'
import { LOADING, type SessionState, sessionStateOf } from './session-state.ts'

export type { SessionState } from './session-state.ts'

const Context = createContext<ReturnType<typeof sessionStateOf> | undefined>(undefined)

/** Provides the client to the components below. A page needs one. */
export function PawlProvider({ client, children }: { client: Client; children?: ReactNode }) {
  return createElement(Context, { value: sessionStateOf(client) }, children)
}

function useSessionState() {
  const state = useContext(Context)
  if (!state) throw new Error('There is no PawlProvider above this component.')
  return state
}

/** Returns the client of the page. */
export function useClient(): Client {
  return useSessionState().client
}

/**
 * Returns whether the user is signed in, in this tab or another, and why. It is `loading` until
 * that is known, and always on a server, so that neither a form nor private content flashes.
 */
export function useSession(): SessionState {
  const { subscribe, get } = useSessionState()
  return useSyncExternalStore(subscribe, get, () => LOADING)
}
