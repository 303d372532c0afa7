import type { IncomingMessage, ServerResponse } from 'node:http'
import helmet, { type HelmetOptions } from 'helmet'

/**
 * Returns the headers that helmet sets for these options. They are the same for every response, so
 * they are computed once; helmet would compute them for each response.
 */
export function constantHeaders(options: HelmetOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value
    },
    removeHeader: () => {},
  }
  const apply = helmet({ referrerPolicy: { policy: 'no-referrer' }, ...options })
  apply({} as IncomingMessage, response as unknown as ServerResponse, (error) => {
    if (error) throw error
  })
  return headers
}

/** The security headers of an API, whose responses no browser may frame, sniff or run. */
export const API_HEADERS: Readonly<Record<string, string>> = constantHeaders({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
})
