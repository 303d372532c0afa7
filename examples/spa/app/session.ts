import { type Change, createClient } from 'pawl/client'
import { useEffect, useState } from 'react'

/** One for the page: the app and its API are at one origin. */
export const auth = createClient({ baseUrl: '/' })

export type Session = Pick<Change, 'signedIn'> & Partial<Change>

/** Whether somebody is signed in, here or in another tab, and why no more; undefined until it is known. */
export function useSession(): Session | undefined {
  const [session, setSession] = useState<Session>()
  useEffect(() => {
    const stop = auth.onChange(setSession)
    const settle = () => setSession((known) => known ?? { signedIn: auth.sessionId !== undefined })
    // The cookie is not ours to see: only the server knows whether it is good for a session.
    auth.token().then(settle, settle)
    return stop
  }, [])
  return session
}
