import { InvalidArgumentError } from 'commander'

/** The time at which it was opened, to the millisecond. */
export const SHORTEST_PREFIX = 13

const FORM = 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'

/** An argument that names a session: its id, or as much of it as lists show. */
export function parseSessionPrefix(text: string): string {
  const form = new RegExp(`^${FORM.slice(0, text.length).replaceAll('x', '[0-9a-f]')}$`, 'i')
  if (text.length >= SHORTEST_PREFIX && text.length <= FORM.length && form.test(text))
    return text.toLowerCase()
  throw new InvalidArgumentError(
    `It is not the id of a session, nor ${SHORTEST_PREFIX} or more characters of one.`,
  )
}

/** The lowest and the highest id that begins so. */
export function idsThatBeginWith(prefix: string): [lowest: string, highest: string] {
  const rest = FORM.slice(prefix.length)
  return [prefix + rest.replaceAll('x', '0'), prefix + rest.replaceAll('x', 'f')]
}
