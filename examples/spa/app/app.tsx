import { Invoices } from './invoices.tsx'
import { auth, type Session, useSession } from './session.ts'
import { SignIn } from './sign-in.tsx'

export function App() {
  const session = useSession()
  if (!session) return null
  if (!session.signedIn) return <SignIn notice={farewell(session)} />
  return (
    <>
      <header>
        <h1>Invoices</h1>
        <button type="button" onClick={() => auth.logout()}>
          Sign out
        </button>
      </header>
      {/* With another user come other invoices. */}
      <Invoices key={session.sessionId} />
    </>
  )
}

function farewell({ reason, elsewhere }: Session): string {
  if (reason === 'ended') return 'Your session has ended. Please sign in again.'
  if (reason === 'logout') return elsewhere ? 'You signed out in another tab.' : 'You are signed out.'
  return ''
}
