import { isIPv6 } from 'node:net'

/** A name or an IPv4 address, and perhaps a port. */
const NAME = /^[\w.~%-]*(:\d{0,5})?$/
const BRACKETED = /^\[([^\]]*)\](:\d{0,5})?$/

/**
 * Returns what is wrong with the `Host` of a request, or undefined if it is right (RFC 9112 3.2).
 * `rawHeaders` has names and values in turn: Node keeps only the first of several lines elsewhere.
 * A value may be empty, as that RFC requires for a target without an authority.
 */
export function hostProblemOf(
  rawHeaders: readonly string[],
  httpVersion: string,
): string | undefined {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host',
  )
  const [host, ...others] = values
  if (others.length > 0) return 'There is more than one Host header.'
  if (host === undefined) return httpVersion === '1.1' ? 'The Host header is missing.' : undefined
  return isHost(host) ? undefined : 'The Host header is malformed.'
}

/** Returns whether the text is a host with or without a port (RFC 9110 7.2), and no user before. */
function isHost(text: string): boolean {
  const [, ipv6] = BRACKETED.exec(text) ?? []
  return ipv6 === undefined ? NAME.test(text) : isIPv6(ipv6) && !ipv6.includes('%')
}
