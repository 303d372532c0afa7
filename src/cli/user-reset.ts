import { createCodeRecords } from '../codes/code-records.ts'
import { findUser } from './lookup.ts'
import { OPERATOR, withServices } from './services.ts'
import { printJson } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ResetOptions {
  link?: string
  json?: true
}

/** Prints a token with which the user sets a new password, or a link that contains it. */
export async function resetPassword(
  terminal: Terminal,
  name: string,
  { link, json }: ResetOptions,
): Promise<void> {
  await withServices(terminal, async ({ database, clock, users, events }) => {
    const { id: userId, email: address } = await findUser(users, name)
    if (!address) throw new Error('The user has no e-mail address, and so cannot log in here.')
    const purpose = 'reset-password'
    const issued = await createCodeRecords(database, clock).issue({ purpose, userId, address })
    if (!issued) throw new Error('The user is disabled. To enable them: pawl user enable')
    const { token, expiresAt } = issued
    const detail = { action: 'password_reset_started', ...OPERATOR } as const
    events.record({ type: 'admin_action', userId, detail })
    await events.write()
    const url = link && `${link}#${new URLSearchParams({ token, purpose })}`
    const until = new Date(expiresAt).toISOString()
    if (json) printJson(terminal, { id: userId, email: address, token, url, expiresAt: until })
    else terminal.stdout.write(`${url ?? token}\nIt can be used once, until ${until}.\n`)
  })
}
