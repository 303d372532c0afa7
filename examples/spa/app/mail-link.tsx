import type { MailLink } from 'pawl/client/account'
import { Form, NEW_PASSWORD } from './form.tsx'
import { account } from './session.ts'

interface MailLinkPageProps {
  link: MailLink
  /** Shows the app again, with a notice. */
  close(notice: string): void
}

/** Shows what the link of a mail is for. Nothing happens until the user confirms it. */
export function MailLinkPage({ link: { purpose, token }, close }: MailLinkPageProps) {
  const isReset = purpose === 'reset-password'

  async function submit({ newPassword = '' }: Record<string, string>) {
    if (isReset) await account.resetPassword({ token, newPassword })
    else await account.verifyEmail(token)
    close(
      isReset
        ? 'The new password is set. Please sign in with it.'
        : 'Your e-mail address is verified.',
    )
  }

  return (
    <>
      <h1>{isReset ? 'New password' : 'E-mail address'}</h1>
      <p>
        {isReset
          ? 'Every device will be signed out.'
          : 'Please confirm that this address is yours.'}
      </p>
      <Form fields={isReset ? [NEW_PASSWORD] : []} submit={submit}>
        <button type="submit">{isReset ? 'Set the password' : 'Confirm'}</button>
        <button type="button" className="quiet" onClick={() => close('')}>
          Cancel
        </button>
      </Form>
    </>
  )
}
