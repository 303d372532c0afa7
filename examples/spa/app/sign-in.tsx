import type { PawlClientError } from 'pawl/client'
import { useClient } from 'pawl/client/react'
import { type FormEvent, useEffect, useState } from 'react'

/** Shows the form. After a successful login the session changes, so it ignores the response. */
export function SignIn({ notice }: { notice: string }) {
  const auth = useClient()
  const [problem, setProblem] = useState<PawlClientError>()
  const [left, setLeft] = useState(0)
  const fields = problem?.fields ?? {}

  /** Counts the seconds down until another attempt makes sense. */
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { submitter } = event.nativeEvent as SubmitEvent
    const form = new FormData(event.currentTarget, submitter)
    const credentials = { email: String(form.get('email')), password: String(form.get('password')) }
    const entering =
      form.get('how') === 'sign up' ? auth.signup(credentials) : auth.login(credentials)
    entering.catch((error: PawlClientError) => {
      setProblem(error)
      setLeft(error.retryAfter)
    })
  }

  return (
    <form onSubmit={submit}>
      <h1>Invoices</h1>
      <p role="status">{notice}</p>
      <label>
        E-mail
        <input
          name="email"
          type="email"
          autoComplete="username"
          required
          aria-invalid={!!fields.email}
          aria-describedby="email-problem"
        />
        <small id="email-problem">{fields.email}</small>
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          autoComplete="current-password"
          required
          aria-invalid={!!fields.password}
          aria-describedby="password-problem"
        />
        <small id="password-problem">{fields.password}</small>
      </label>
      <p role="alert">{problem && messageOf(problem, left)}</p>
      <footer>
        <button type="submit" name="how" value="sign in" disabled={left > 0}>
          Sign in
        </button>
        <button type="submit" name="how" value="sign up" className="quiet">
          Sign up
        </button>
      </footer>
    </form>
  )
}

function messageOf({ offline, message }: PawlClientError, left: number): string {
  if (offline) return 'There is no connection. Please try again.'
  return left > 0 ? `${message}. Please wait ${left} s.` : message
}
