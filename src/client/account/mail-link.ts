import type { MailLink, MailPage } from './types.ts'

const PURPOSES = ['verify-address', 'change-address', 'reset-password']

/**
 * Returns the link of a mail that has opened the page, and removes it from the address bar and the
 * history. Returns undefined, and leaves the address as it is, if the page was opened otherwise.
 * Call it before anything else runs that reads or sends the address of the page.
 */
export function takeMailLink(
  { location, history }: MailPage = globalThis as unknown as MailPage,
): MailLink | undefined {
  const found = new URLSearchParams(location.hash.slice(1))
  const [purpose, token] = [found.get('purpose') ?? '', found.get('token')]
  if (!token || !PURPOSES.includes(purpose)) return undefined
  history.replaceState(history.state, '', location.pathname + location.search)
  return { purpose: purpose as MailLink['purpose'], token }
}
