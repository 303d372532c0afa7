import { useClient } from 'pawl/client/react'
import { useState } from 'react'
import { EMAIL, type Field, Form } from './form.tsx'
import { account } from './session.ts'

const PASSWORD: Field = {
  name: 'password',
  label: 'Password',
  type: 'password',
  autoComplete: 'current-password',
}

interface SignInProps {
  notice: string
  setNotice(notice: string): void
}

/** Shows the form. After a successful login the session changes, so it ignores the response. */
export function SignIn({ notice, setNotice }: SignInProps) {
  const auth = useClient()
  const [hasForgotten, setForgotten] = useState(false)

  async function enter({ email = '', password = '', how }: Record<string, string>) {
    await (how === 'sign up' ? auth.signup({ email, password }) : auth.login({ email, password }))
    setNotice('')
  }

  async function forget({ email = '' }: Record<string, string>) {
    await account.forgotPassword(email)
    setForgotten(false)
    setNotice('If there is such an account, a mail with a link is on its way.')
  }

  if (hasForgotten)
    return (
      <>
        <h1>Forgotten password</h1>
        <Form key="forgotten" fields={[EMAIL]} submit={forget}>
          <button type="submit">Send a link</button>
          <button type="button" className="quiet" onClick={() => setForgotten(false)}>
            Back
          </button>
        </Form>
      </>
    )
  return (
    <>
      <h1>Invoices</h1>
      <p role="status">{notice}</p>
      <Form key="sign in" fields={[EMAIL, PASSWORD]} submit={enter}>
        <button type="submit" name="how" value="sign in">
          Sign in
        </button>
        <button type="submit" name="how" value="sign up" className="quiet">
          Sign up
        </button>
      </Form>
      <button type="button" className="quiet" onClick={() => setForgotten(true)}>
        Forgot the password?
      </button>
    </>
  )
}
