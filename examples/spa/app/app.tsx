import { type SessionState, useClient, useSession } from 'pawl/client/react'
import { useState } from 'react'
import { Invoices } from './invoices.tsx'
import { SignIn } from './sign-in.tsx'

/** Shows the invoices to a signed-in user, and the form to everybody else. */
export function App() {
  const auth = useClient()
  const session = useSession()
  const [problem, setProblem] = useState('')
  if (session.status === 'loading') return null
  if (session.status === 'signed-out') return <SignIn notice={signOutNotice(session)} />

  const signOut = () =>
    auth.logout().then(
      () => setProblem(''),
      (error) => setProblem(error.message),
    )
  return (
    <>
      <header>
        <h1>Invoices</h1>
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      </header>
      {problem && <p role="alert">{problem}</p>}
      {/* The key makes React load the invoices again for another user. */}
      <Invoices key={session.sessionId} />
    </>
  )
}

function signOutNotice(session: SessionState): string {
  if (session.status === 'loading') return ''
  const { reason, elsewhere } = session
  if (reason === 'ended') return 'Your session has ended. Please sign in again.'
  if (reason === 'logout')
    return elsewhere ? 'You signed out in another tab.' : 'You are signed out.'
  return ''
}
