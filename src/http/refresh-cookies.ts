import { stringifySetCookie } from 'cookie'

const NAME = 'pawl-refresh'

/** Which cookie a request may use. */
export interface CookieScope {
  /** Whether it is a request for development: plain http on this machine. */
  isInsecure: boolean
  /** The path of the cookies that earlier versions set. */
  oldPath: string
}

/** What to store in the cookie. An empty value and a `maxAge` of 0 delete it. */
export interface CookieContent {
  value: string
  /** Seconds. */
  maxAge: number
}

export const DELETED: CookieContent = { value: '', maxAge: 0 }

/**
 * Returns the value of the `Set-Cookie` header. `__Host-` means that the browser accepts the cookie
 * only from this very host, without `Domain` and for the path `/` (RFC 6265bis 4.1.3.2): a page of
 * a sibling subdomain cannot set it. Browsers drop such a cookie over plain http.
 */
export function setCookie(content: CookieContent, { isInsecure }: CookieScope): string {
  const name = isInsecure ? NAME : `__Host-${NAME}`
  return stringifySetCookie({ name, ...content, path: '/', ...attributes(isInsecure) })
}

/** Returns the `Set-Cookie` header that deletes the cookie of an earlier version. */
export function deleteOldCookie({ isInsecure, oldPath: path }: CookieScope): string {
  return stringifySetCookie({
    name: oldName(isInsecure),
    ...DELETED,
    path,
    ...attributes(isInsecure),
  })
}

export interface PresentedCookies {
  /**
   * The distinct tokens. Those under the name that a sibling subdomain can set come last. A token
   * needs no decoding.
   */
  tokens: string[]
  /** Whether one of the cookies may have been set by an earlier version. */
  hasOld: boolean
}

/** Reads the refresh cookies of a `Cookie` header. A name may occur more than once. */
export function readCookies(
  header: string | undefined,
  { isInsecure }: CookieScope,
): PresentedCookies {
  const old = valuesOf(header, oldName(isInsecure))
  if (isInsecure) return { tokens: distinct(old), hasOld: old.length > 1 }
  const current = valuesOf(header, `__Host-${NAME}`)
  return { tokens: distinct([...current, ...old]), hasOld: old.length > 0 }
}

/** Earlier versions set the same name over plain http, and this one for a path of its own. */
const oldName = (isInsecure: boolean) => (isInsecure ? NAME : `__Secure-${NAME}`)

const attributes = (isInsecure: boolean) =>
  ({ httpOnly: true, secure: !isInsecure, sameSite: 'strict' }) as const

const distinct = (values: string[]) => [...new Set(values)]

function valuesOf(header: string | undefined, name: string): string[] {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim())
  const prefix = `${name}=`
  return pairs
    .filter((pair) => pair.startsWith(prefix) && pair.length > prefix.length)
    .map((pair) => pair.slice(prefix.length))
}
