/**
 * Returns whether a host name, in the form it has in a URL, means this machine: no other machine
 * can be reached by it.
 */
export function isLoopbackName(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}

/** Returns whether the remote address of a socket belongs to this machine. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return /^((::ffff:)?127(\.\d{1,3}){3}|::1)$/i.test(address ?? '')
}

/** Origins of pages in web views and extensions. To the URL standard they are opaque. */
const APP_ORIGIN = /^(capacitor|ionic|tauri|chrome-extension|moz-extension):\/\/[a-z0-9.-]+$/

/**
 * Returns whether text is an origin as browsers send it: scheme and host, and a port only if it is
 * not the default port of the scheme. It may be that of an app in a web view or of an extension.
 */
export function isOrigin(text: string): boolean {
  if (APP_ORIGIN.test(text)) return true
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/**
 * What a browser reports about the sender of a request. Pages cannot change it (RFC 6454 7, Fetch
 * Metadata).
 */
export interface Provenance {
  origin: string | undefined
  /** `Sec-Fetch-Site`. */
  site: string | undefined
  /** Whether the request has a header that needs a preflight if it goes to another origin. */
  hasCustomHeader: boolean
}

/**
 * Returns whether the cookie of a request may be used: whether the user's own page, or a trusted
 * one, sent the request. Returns false if nothing is known about the sender.
 */
export function isTrusted(
  { origin, site, hasCustomHeader }: Provenance,
  trusted: readonly string[],
): boolean {
  if (site === 'same-origin') return true
  if (origin !== undefined) return trusted.includes(origin)
  return site === undefined && hasCustomHeader
}
