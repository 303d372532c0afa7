import type { PawlClientError } from 'pawl/client'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'

export interface Field {
  name: string
  label: string
  type: 'email' | 'password'
  /** Tells a password manager what to fill in and what to save. */
  autoComplete: 'username' | 'email' | 'current-password' | 'new-password'
}

export const EMAIL: Field = {
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autoComplete: 'username',
}

export const NEW_PASSWORD: Field = {
  name: 'newPassword',
  label: 'New password',
  type: 'password',
  autoComplete: 'new-password',
}

interface FormProps {
  fields: readonly Field[]
  /** Gets the values of all inputs and of the button. The form shows why it rejects. */
  submit(values: Record<string, string>): Promise<unknown>
  children: ReactNode
}

/** Shows labelled inputs, each with its problem beside it, and every other problem below. */
export function Form({ fields, submit, children }: FormProps) {
  const form = useRef<HTMLFormElement>(null)
  const [problem, setProblem] = useState<PawlClientError>()
  const [left, setLeft] = useState(0)
  const problems = problemsOf(fields, problem)
  const isExplained = Object.keys(problems).length > 0

  /** Counts the seconds down until another attempt makes sense. */
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1_000)
    return () => clearTimeout(timer)
  }, [left])

  /** Leads to the first field with a problem, so that a screen reader reads both. */
  useEffect(() => {
    if (problem) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [problem])

  function onSubmit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const { submitter } = event.nativeEvent as SubmitEvent
    const values = new FormData(event.currentTarget, submitter)
    submit(Object.fromEntries([...values].map(([name, value]) => [name, String(value)]))).then(
      () => setProblem(undefined),
      (error: PawlClientError) => {
        setProblem(error)
        setLeft(error.retryAfter)
      },
    )
  }

  return (
    <form ref={form} onSubmit={onSubmit}>
      {fields.map(({ name, label, type, autoComplete }) => (
        <div key={name}>
          <label>
            {label}
            <input
              name={name}
              type={type}
              autoComplete={autoComplete}
              required
              aria-invalid={!!problems[name]}
              aria-describedby={`${name}-problem`}
            />
          </label>
          <small id={`${name}-problem`}>{problems[name]}</small>
        </div>
      ))}
      <p role="alert">{problem && !isExplained && messageOf(problem, left)}</p>
      <fieldset disabled={left > 0}>{children}</fieldset>
    </form>
  )
}

/** Returns the problems of the form's own fields. A wrong password has no field of its own. */
function problemsOf(fields: readonly Field[], problem?: PawlClientError): Record<string, string> {
  const found: Record<string, string> = {}
  for (const { name, autoComplete } of fields) {
    const isWrong = autoComplete === 'current-password' && problem?.code === 'AUTH_WRONG_PASSWORD'
    const text = isWrong ? problem.message : problem?.fields[name]
    if (text) found[name] = text
  }
  return found
}

function messageOf({ offline, message }: PawlClientError, left: number): string {
  if (offline) return 'There is no connection. Please try again.'
  return left > 0 ? `${message}. Please wait ${left} s.` : message
}
