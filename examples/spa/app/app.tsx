import type { MailLink } from 'pawl/client/account'
import { type SessionState, useClient, useSession } from 'pawl/client/react'
import { useEffect, useState } from 'react'
import { Account } from './account.tsx'
import { Invoices } from './invoices.tsx'
import { MailLinkPage } from './mail-link.tsx'
import { SignIn } from './sign-in.tsx'

/** Shows the invoices to a signed-in user, and the form to everybody else. */
export function App({ link }: { link: MailLink | undefined }) {
  const auth = useClient()
  const session = useSession()
  const [openLink, setOpenLink] = useState(link)
  const [page, setPage] = useState<'invoices' | 'account'>('invoices')
  const [notice, setNotice] = useState('')
  const [problem, setProblem] = useState('')

  // The next user begins with the invoices.
  useEffect(() => {
    if (session.status === 'signed-out') setPage('invoices')
  }, [session.status])

  function closeLink(text: string) {
    setOpenLink(undefined)
    setNotice(text)
  }

  function show(next: typeof page) {
    setPage(next)
    setNotice('')
  }

  if (openLink) return <MailLinkPage link={openLink} close={closeLink} />
  if (session.status === 'loading') return null
  if (session.status === 'signed-out')
    return <SignIn notice={notice || signOutNotice(session)} setNotice={setNotice} />

  const signOut = () =>
    auth.logout().then(
      () => {
        setProblem('')
        setNotice('')
      },
      (error) => setProblem(error.message),
    )
  return (
    <>
      <header>
        <h1>{page === 'invoices' ? 'Invoices' : 'Account'}</h1>
        <nav>
          <button
            type="button"
            className="quiet"
            onClick={() => show(page === 'invoices' ? 'account' : 'invoices')}
          >
            {page === 'invoices' ? 'Account' : 'Invoices'}
          </button>
          <button type="button" className="quiet" onClick={signOut}>
            Sign out
          </button>
        </nav>
      </header>
      {problem && <p role="alert">{problem}</p>}
      {page === 'account' ? (
        <Account notice={notice} setNotice={setNotice} />
      ) : (
        <>
          {notice && <p role="status">{notice}</p>}
          {/* The key makes React load the invoices again for another user. */}
          <Invoices key={session.sessionId} />
        </>
      )}
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
