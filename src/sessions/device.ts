import { isIP } from 'node:net'

/** Where a request came from, as far as it tells. */
export interface Device {
  ip: string
  userAgent: string | undefined
}

/**
 * A device as it is kept. The user agent is the client's own text: it is cut to a length that no honest browser exceeds, and
 * a word as long as a token becomes a dash.
 */
export function deviceColumns({ ip, userAgent }: Device) {
  return { ip: isIP(ip) ? ip : null, userAgent: userAgent === undefined ? null : plain(userAgent) }
}

function plain(text: string): string {
  return text
    .slice(0, 4096)
    .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '?')
    .replaceAll(/[\w.+/=-]{80,}/g, '-')
    .slice(0, 512)
}
