import { parseCookie, stringifySetCookie } from 'cookie'
import { DEVICE_LIFETIME } from '../guesses/known-devices.ts'

/** The header in which a client that has no cookies sends and receives the proof of its device. */
export const DEVICE_HEADER = 'x-known-device'

/**
 * The name of the cookie with that proof. `__Host-` means that no page of a sibling subdomain can
 * set it (RFC 6265bis 4.1.3.2). Browsers drop such a cookie over plain http.
 */
const nameFor = (isInsecure: boolean) => (isInsecure ? 'pawl-device' : '__Host-pawl-device')

/** Returns the value of the `Set-Cookie` header. The cookie outlives the session on purpose. */
export function setDeviceCookie(value: string, isInsecure: boolean): string {
  return stringifySetCookie({
    name: nameFor(isInsecure),
    value,
    maxAge: DEVICE_LIFETIME,
    path: '/',
    httpOnly: true,
    secure: !isInsecure,
    sameSite: 'strict',
  })
}

/** Returns the proof in a `Cookie` header. */
export function readDeviceCookie(
  header: string | undefined,
  isInsecure: boolean,
): string | undefined {
  return parseCookie(header ?? '')[nameFor(isInsecure)]
}
