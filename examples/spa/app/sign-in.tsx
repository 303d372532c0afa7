import { type FormEvent, useState } from 'react'
import { auth } from './session.ts'

/** Shows the form. After a successful login `onChange` replaces it, so it ignores the response. */
export function SignIn({ notice }: { notice: string }) {
  const [problem, setProblem] = useState('')

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { submitter } = event.nativeEvent as SubmitEvent
    const form = new FormData(event.currentTarget, submitter)
    const credentials = { email: String(form.get('email')), password: String(form.get('password')) }
    const entering =
      form.get('how') === 'sign up' ? auth.signup(credentials) : auth.login(credentials)
    entering.catch((error: Error) => setProblem(error.message))
  }

  return (
    <form onSubmit={submit}>
      <h1>Invoices</h1>
      <p role="status">{notice}</p>
      <label>
        E-mail
        <input name="email" type="email" autoComplete="username" required />
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <p role="alert">{problem}</p>
      <footer>
        <button type="submit" name="how" value="sign in">
          Sign in
        </button>
        <button type="submit" name="how" value="sign up" className="quiet">
          Sign up
        </button>
      </footer>
    </form>
  )
}
