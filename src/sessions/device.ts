/** The device that a request came from, as far as the request says. */
export interface Device {
  /** An IP address, or empty if it is unknown. */
  ip: string
  userAgent: string | undefined
}

/**
 * Returns the columns that describe a device. The user agent is the client's own text, so it is cut
 * to a length that no honest browser exceeds, and a word as long as a token is replaced by a dash.
 */
export function deviceColumns({ ip, userAgent }: Device) {
  return { ip: ip || null, userAgent: userAgent === undefined ? null : plain(userAgent) }
}

function plain(text: string): string {
  return text
    .slice(0, 4096)
    .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?')
    .replaceAll(/[\w.+/=-]{80,}/g, '-')
    .slice(0, 512)
}
