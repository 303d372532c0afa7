import type { IncomingHttpHeaders } from 'node:http'
import { isLoopbackAddress, isLoopbackName } from './origins.ts'

/** What a proxy adds to a request of somebody else. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * Returns whether a request surely comes from this machine and was made for it: not through a
 * proxy, not by a page of another origin, and not for a name that a stranger's DNS points here.
 */
export function isLocalRequest(
  headers: IncomingHttpHeaders,
  hostname: string,
  remoteAddress: string | undefined,
): boolean {
  const site = headers['sec-fetch-site']
  return (
    isLoopbackAddress(remoteAddress) &&
    isLoopbackName(hostname) &&
    FORWARDED.every((name) => headers[name] === undefined) &&
    (site === undefined || site === 'same-origin' || site === 'none')
  )
}
