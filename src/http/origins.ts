/** Of this machine only: what no other machine can be reached by. `hostname` as in a URL. */
export function isLoopbackName(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname)
}

/** The same of an address, as a socket has it. */
export function isLoopbackAddress(address: string | undefined): boolean {
  return /^((::ffff:)?127(\.\d{1,3}){3}|::1)$/i.test(address ?? '')
}

/** Whether the text is an origin as browsers send it: scheme, host, and a port only where it is not the usual one. */
export function isWebOrigin(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/** What a browser says of where a request comes from; no page can change it (Fetch Metadata, RFC 6454 7). */
export interface Provenance {
  origin: string | undefined
  /** `Sec-Fetch-Site`. */
  site: string | undefined
  /** Whether there is a header that no page can send to another origin unless that allows it. */
  hasCustomHeader: boolean
}

/** Whether a cookie may count as the sender's own wish. Where nothing is known of the sender, it may not. */
export function isTrusted(
  { origin, site, hasCustomHeader }: Provenance,
  trusted: readonly string[],
): boolean {
  if (site === 'same-origin') return true
  if (origin !== undefined) return trusted.includes(origin)
  return site === undefined && hasCustomHeader
}
