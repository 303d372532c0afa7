import { type Change, createClient } from 'pawl/client'
import { useEffect, useState } from 'react'

/** The client of the page. The app and its API have one origin. */
export const auth = createClient({ baseUrl: '/' })

export type Session = Pick<Change, 'signedIn'> & Partial<Change>

/**
 * Returns whether the user is signed in, in this tab or another, and the reason of the last change.
 * Returns undefined until that is known.
 */
export function useSession(): Session | undefined {
  const [session, setSession] = useState<Session>()
  useEffect(() => {
    const stop = auth.onChange(setSession)
    const finish = () => setSession((known) => known ?? { signedIn: auth.sessionId !== undefined })
    // A script cannot see the cookie, so only the server knows whether there is a session.
    auth.token().then(finish, finish)
    return stop
  }, [])
  return session
}
