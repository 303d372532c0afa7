import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type ErrorCode, PawlError } from '../src/errors.ts'
import { challengeOf } from '../src/http/challenges.ts'
import { API_HEADERS } from '../src/http/constant-headers.ts'
import { PROBLEM_JSON, toOauthProblem, toProblem } from '../src/http/problem.ts'
import { toFieldErrors } from '../src/http/validation.ts'

/** Fastify's error codes for bad requests, each with our code and our detail. */
const FRAMEWORK_ERRORS = new Map<string, [ErrorCode, string?]>(
  Object.entries({
    FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE'],
    FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE'],
    FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
      'BAD_REQUEST',
      'The body is not as long as Content-Length says.',
    ],
    FST_ERR_CTP_EMPTY_JSON_BODY: ['BAD_REQUEST', 'The body is empty.'],
    FST_ERR_CTP_INVALID_JSON_BODY: ['BAD_REQUEST', 'The body is not valid JSON.'],
    FST_ERR_BAD_URL: ['BAD_REQUEST', 'The path is not a valid URL path.'],
    FST_ERR_MAX_PARAM_LENGTH: ['URI_TOO_LONG'],
  }),
)

/** For errors that come from elsewhere and carry nothing but a status. */
const BY_STATUS = new Map<number, ErrorCode>([
  [400, 'BAD_REQUEST'],
  [401, 'AUTH_INVALID_TOKEN'],
  [403, 'AUTH_FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [429, 'RATE_LIMITED'],
])

/**
 * Renders every error as `application/problem+json` (RFC 9457). The cause of a 5xx goes to the log
 * and never into the response.
 */
export const problemDetails: FastifyPluginAsync = fp(
  async (app) => {
    app.setErrorHandler(renderError)
  },
  { name: 'pawl-problem-details' },
)

export function renderError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const fault = Object(thrown) as Fault
  const error = toPawlError(fault)
  log(error, fault, request)
  const challenge = challengeOf(error)
  if (challenge) reply.header('www-authenticate', challenge)
  if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter)
  reply.header('cache-control', 'no-store')
  // If a body was refused or not read, Fastify would close the connection. The client could lose
  // the response in the reset that follows. If it stays open, Node reads and discards the rest.
  if (codeOf(fault).startsWith('FST_ERR_CTP_')) reply.header('connection', 'keep-alive')
  const isOauth = request.routeOptions?.config?.oauth
  const problem = isOauth ? toOauthProblem(error) : toProblem(error)
  // Serialized here, because the route's response schema describes its successes.
  const body = JSON.stringify(problem)
  return reply.code(error.statusCode).type(PROBLEM_JSON).serializer(String).send(body)
}

export function renderNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return renderError(new PawlError('NOT_FOUND'), request, reply)
}

/** Renders an error of a request that was refused before any hook ran: its path is malformed. */
export function renderFrameworkError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return renderError(error, request, reply.headers(API_HEADERS))
}

/**
 * Anything that was thrown, by an embedding application as well. Not every error has a code, and
 * not every code is text.
 */
type Fault = Partial<Omit<FastifyError, 'code'>> & { code?: unknown }

function codeOf({ code }: Fault): string {
  return typeof code === 'string' ? code : ''
}

function toPawlError(fault: Fault): PawlError {
  if (fault instanceof PawlError) return fault
  if (fault.validation) return validationFailed(fault)
  const [code, detail] = FRAMEWORK_ERRORS.get(codeOf(fault)) ?? []
  if (code) return new PawlError(code, detail ? { detail } : {})
  const { statusCode = 500 } = fault
  const other = statusCode >= 400 && statusCode < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR'
  return new PawlError(BY_STATUS.get(statusCode) ?? other, { cause: fault })
}

/** Contains neither a value nor a property name that the client chose. */
function validationFailed({ validation = [], validationContext }: Fault): PawlError {
  const { message = '', instancePath = '' } = validation[0] ?? {}
  return new PawlError('VALIDATION_FAILED', {
    detail: `${validationContext ?? 'request'}${instancePath}: ${message}`,
    errors: toFieldErrors(validation),
  })
}

function log(error: PawlError, fault: Fault, request: FastifyRequest): void {
  const userId = request.auth?.userId
  const reason = error.reason ?? error.detail
  const facts = { code: error.code, reason, ...(userId && { userId }) }
  if (error.code === 'INTERNAL_ERROR') {
    const { name, message, stack } = fault
    request.log.error({ ...facts, error: { name, message, stack } }, 'request failed')
  } else if (error.statusCode >= 500) {
    const cause = error.cause instanceof Error ? error.cause.message : undefined
    request.log.warn({ ...facts, cause }, 'request could not be served')
  } else {
    request.log.info(facts, 'request refused')
  }
}
