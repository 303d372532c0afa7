import { useState } from 'react'
import { Invoices } from './invoices.tsx'
import { auth, type Session, useSession } from './session.ts'
import { SignIn } from './sign-in.tsx'

export function App() {
  const session = useSession()
  const [problem, setProblem] = useState('')
  if (!session) return null
  if (!session.signedIn) return <SignIn notice={signOutNotice(session)} />

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

function signOutNotice({ reason, elsewhere }: Session): string {
  if (reason === 'ended') return 'Your session has ended. Please sign in again.'
  if (reason === 'logout')
    return elsewhere ? 'You signed out in another tab.' : 'You are signed out.'
  return ''
}
