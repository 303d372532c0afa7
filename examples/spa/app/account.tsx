import { useClient } from 'pawl/client/react'
import { useEffect, useState } from 'react'
import { call } from './api.ts'
import { EMAIL, type Field, Form, NEW_PASSWORD } from './form.tsx'
import { account } from './session.ts'

const CURRENT_PASSWORD: Field = {
  name: 'currentPassword',
  label: 'Current password',
  type: 'password',
  autoComplete: 'current-password',
}

const NEW_EMAIL: Field = { ...EMAIL, label: 'New e-mail', autoComplete: 'email' }

interface AccountProps {
  notice: string
  setNotice(notice: string): void
}

/** Shows the user's address and the forms that change or delete the account, one at a time. */
export function Account({ notice, setNotice }: AccountProps) {
  const auth = useClient()
  const [user, setUser] = useState({ email: '', emailVerified: true })
  const [form, setForm] = useState<'email' | 'password' | 'deletion'>()

  useEffect(() => void call<typeof user>('/auth/me').then(setUser, () => {}), [])

  /** Closes the form and says what has happened. */
  function finish(text: string) {
    setForm(undefined)
    setNotice(text)
  }

  async function changeEmail({ email = '', currentPassword }: Record<string, string>) {
    await account.changeEmail({ email, currentPassword })
    finish('Please open the link in the mail to your new address.')
  }

  async function changePassword({ currentPassword = '', newPassword = '' }) {
    await auth.changePassword({ currentPassword, newPassword })
    finish('Your password is changed. Other devices are signed out.')
  }

  async function remove({ currentPassword }: Record<string, string>) {
    await account.deleteAccount(currentPassword)
    finish('Your account is deleted.')
  }

  const sendAgain = () =>
    account.sendVerification().then(
      () => setNotice('The mail is on its way.'),
      (error) => setNotice(error.message),
    )
  const cancel = (
    <button type="button" className="quiet" onClick={() => setForm(undefined)}>
      Cancel
    </button>
  )

  return (
    <>
      <p>{user.email}</p>
      <p role="status">{notice}</p>
      {!user.emailVerified && (
        <p>
          This address is not verified yet.{' '}
          <button type="button" className="quiet" onClick={sendAgain}>
            Send the mail again
          </button>
        </p>
      )}
      {form === undefined && (
        <footer>
          <button type="button" onClick={() => setForm('email')}>
            Change e-mail
          </button>
          <button type="button" onClick={() => setForm('password')}>
            Change password
          </button>
          <button type="button" className="quiet" onClick={() => setForm('deletion')}>
            Delete account
          </button>
        </footer>
      )}
      {form === 'email' && (
        <Form key={form} fields={[NEW_EMAIL, CURRENT_PASSWORD]} submit={changeEmail}>
          <button type="submit">Send a link</button>
          {cancel}
        </Form>
      )}
      {form === 'password' && (
        <Form key={form} fields={[CURRENT_PASSWORD, NEW_PASSWORD]} submit={changePassword}>
          {/* So that a password manager knows whose password it is. */}
          <input type="email" autoComplete="username" value={user.email} readOnly hidden />
          <button type="submit">Save</button>
          {cancel}
        </Form>
      )}
      {form === 'deletion' && (
        <Form key={form} fields={[CURRENT_PASSWORD]} submit={remove}>
          <label className="check">
            <input type="checkbox" required /> Delete my account. This cannot be undone.
          </label>
          <button type="submit">Delete</button>
          {cancel}
        </Form>
      )}
    </>
  )
}
