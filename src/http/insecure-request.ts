import type { FastifyRequest } from 'fastify'
import { isLoopbackAddress, isLoopbackName } from './origins.ts'

/**
 * Returns a function that says whether a request may use cookies that are not secure. Browsers may
 * drop a secure cookie over plain http, so development needs one that is not. It never leaves this
 * machine: the issuer must say so, then the connection, and only then does the Host header of the
 * client count.
 */
export function createInsecureCheck(issuer: string): (request: FastifyRequest) => boolean {
  const { protocol, hostname } = new URL(issuer)
  const isDevelopment = protocol === 'http:' && isLoopbackName(hostname)
  return ({ raw, host }) => {
    if (!isDevelopment || 'encrypted' in raw.socket) return false
    return isLoopbackAddress(raw.socket.remoteAddress) && isLoopbackName(host.replace(/:\d+$/, ''))
  }
}
