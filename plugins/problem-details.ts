import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { bearerChallenge, ERRORS, type ErrorCode, PawlError } from '../src/errors.ts'
import type { Problem } from '../src/schemas/problem.ts'

const CONTENT_TYPE = 'application/problem+json; charset=utf-8'

/** Fastify's own codes for what is wrong with a request, and what we say of it. */
const FRAMEWORK_ERRORS: Record<string, [ErrorCode, string?]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'The body is not as long as Content-Length says.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_REQUEST', 'The body is empty.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_REQUEST', 'The body is not valid JSON.'],
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'The path is not a valid URL path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['URI_TOO_LONG'],
}

/** Renders every error as `application/problem+json` (RFC 9457); what a 5xx says of its cause goes to the log alone. */
export const problemDetails = fp(
  async (app) => {
    app.setErrorHandler(renderError)
  },
  { name: 'pawl-problem-details' },
)

export function renderError(
  thrown: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = toPawlError(thrown)
  log(error, thrown, request)
  const challenge = bearerChallenge(error.code, error.statusCode)
  if (challenge) reply.header('www-authenticate', challenge)
  if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
  reply.header('cache-control', 'no-store')
  // Fastify would close the connection on a body it did not like or read, and the client could lose the answer in the
  // reset that follows. Left open, Node reads the rest and forgets it.
  if (thrown.code?.startsWith('FST_ERR_CTP_')) reply.header('connection', 'keep-alive')
  // Serialized here: the route's own response schema is for its successes.
  return reply
    .code(error.statusCode)
    .type(CONTENT_TYPE)
    .serializer(String)
    .send(JSON.stringify(toProblem(error)))
}

export function renderNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return renderError(new PawlError('NOT_FOUND'), request, reply)
}

function toProblem({ code, statusCode, detail }: PawlError): Problem {
  const type = `urn:pawl:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return { type, title: ERRORS[code].title, status: statusCode, ...(detail && { detail }), code }
}

function toPawlError(error: FastifyError): PawlError {
  if (error instanceof PawlError) return error
  if (error.validation) return new PawlError('VALIDATION_FAILED', { detail: describe(error) })
  const [code, detail] = FRAMEWORK_ERRORS[error.code] ?? []
  if (code) return new PawlError(code, detail ? { detail } : {})
  const { statusCode = 500 } = error
  return new PawlError(statusCode >= 400 && statusCode < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR', {
    cause: error,
  })
}

/** Where the first difference from the schema is, and which; never the value, nor a name that the client made up. */
function describe({ validation, validationContext }: FastifyError): string {
  const { message = 'not as the schema says', instancePath = '' } = validation?.[0] ?? {}
  const path = message === UNEXPECTED ? instancePath.slice(0, instancePath.lastIndexOf('/')) : instancePath
  return `${validationContext ?? 'request'}${path}: ${message}`
}

/** What TypeBox says of a property that the schema does not have. */
const UNEXPECTED = 'Unexpected property'

function log(error: PawlError, thrown: Error, request: FastifyRequest): void {
  const facts = { code: error.code, reason: error.reason ?? error.detail }
  if (error.code === 'INTERNAL_ERROR') {
    const { name, message, stack } = thrown
    request.log.error({ ...facts, error: { name, message, stack } }, 'request failed')
  } else if (error.statusCode >= 500) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined
    request.log.warn({ ...facts, cause }, 'request could not be served')
  } else {
    request.log.info(facts, 'request refused')
  }
}

/** Bytes that a client may still be sending after its request was refused: read and forgotten for this long, in ms. */
const LINGER = 2_000

/**
 * Answers what never became a request (a malformed one, headers over the limit, one that took too long). The socket is
 * read to its end before it is closed: closed with bytes unread, the kernel resets the connection, and the client may
 * lose the answer. Nothing of the request is logged: its raw bytes hold credentials.
 */
export function renderClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Whatever still arrives after the answer is an error each time.
  if (socket.writableEnded && error.code !== 'ECONNRESET') return
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = JSON.stringify(toProblem(new PawlError(clientErrorCode(error.code))))
  const { status } = JSON.parse(problem) as Problem
  const head = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status] ?? 'Bad Request'}`,
    `Content-Type: ${CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(problem)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${problem}`)
  socket.removeAllListeners('data')
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER)
  socket.once('close', () => clearTimeout(timer))
}

const STATUS_TEXT: Record<number, string> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' }

function clientErrorCode(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'REQUEST_TIMEOUT' : 'BAD_REQUEST'
}
