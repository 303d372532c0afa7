import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PawlError } from '../errors.ts'
import { addressIn } from './client-address.ts'
import { API_HEADERS } from './constant-headers.ts'
import { hostProblemOf } from './host-header.ts'

/** Sets the headers of an API on every response, those of unknown paths included. */
export function setSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(API_HEADERS)
    done()
  })
}

/** While the server stops, it refuses new requests, and closes connections after each response. */
export function refuseWhileStopping(app: FastifyInstance): void {
  let isStopping = false
  app.addHook('preClose', async () => {
    isStopping = true
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    done(isStopping ? new PawlError('SHUTTING_DOWN') : undefined)
  })
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping) reply.header('connection', 'close')
    done()
  })
}

/** Refuses requests whose `Host` is missing, malformed or there twice (RFC 9112 3.2). */
export function requireOneHost(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const detail = hostProblemOf(raw.rawHeaders, raw.httpVersion)
    done(detail === undefined ? undefined : new PawlError('BAD_REQUEST', { detail }))
  })
}

/** Handles what Node would refuse without a problem document, or by closing the connection. */
export function handleNodeRefusals(
  app: FastifyInstance,
  renderClientError: (error: Error, socket: Socket) => void,
): void {
  app.server.on('connect', (_request, socket: Socket) => {
    // Node no longer handles the errors of this socket, and one without a handler ends the process.
    socket.on('error', () => socket.destroy())
    renderClientError(new Error('CONNECT'), socket)
  })
  // A server may ignore an expectation that it does not know (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
}

/**
 * Returns the log fields of a request: no header, no body, and no part of its target in which a
 * client may have put a token.
 */
export function describeRequest(request: FastifyRequest) {
  return { method: request.method, path: pathOf(request.url ?? ''), ip: addressIn(request.ip) }
}

/**
 * Adds the user's id to the log line of a response, if the request had a valid access token. The
 * other facts of a line stay as they are.
 */
export function nameUser(facts: Record<string, unknown>): Record<string, unknown> {
  const { request } = Object(facts.res) as Partial<FastifyReply>
  return request?.auth ? { userId: request.auth.userId, ...facts } : facts
}

/**
 * Returns the path without query, fragment and parameters, and without the user of an absolute URL.
 * A dash replaces each segment that is longer than any name or id.
 */
function pathOf(target: string): string {
  const [path = ''] = target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#;]/)
  return path.replaceAll(/[^/]{41,}/g, '-').slice(0, 200)
}
