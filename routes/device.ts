import type { FastifyRequest } from 'fastify'

/** Where a request came from, for the record of the session. */
export function deviceOf(request: FastifyRequest) {
  return { ip: request.ip, userAgent: request.headers['user-agent'] }
}
