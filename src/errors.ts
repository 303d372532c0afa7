/**
 * Every error that a client can meet, by its stable code. What the client is told stands here; why it happened goes
 * to the log as `reason` and never into an answer.
 */
export const ERRORS = {
  AUTH_INVALID_CREDENTIALS: { status: 401, title: 'E-mail or password is wrong' },
  AUTH_INVALID_REFRESH_TOKEN: { status: 401, title: 'The refresh token is not accepted' },
  AUTH_MISSING_TOKEN: { status: 401, title: 'A token is required' },
  AUTH_INVALID_TOKEN: { status: 401, title: 'The token is not accepted' },
  AUTH_WRONG_PASSWORD: { status: 403, title: 'The current password is wrong' },
  AUTH_INVALID_CLIENT: { status: 401, title: 'The credentials of the client are not accepted' },
  AUTH_FORBIDDEN: { status: 403, title: 'Not allowed for this user' },
  AUTH_ORIGIN_NOT_ALLOWED: { status: 403, title: 'Not allowed from this origin' },
  AUTH_SIGNUP_DISABLED: { status: 403, title: 'Sign-up is switched off' },
  AUTH_EMAIL_TAKEN: { status: 409, title: 'The e-mail address is already registered' },
  ADMIN_REQUIRED: { status: 409, title: 'There would be no active administrator left' },
  AUTH_PASSWORD_REJECTED: { status: 400, title: 'The password is not acceptable' },
  AUTH_UNAVAILABLE: { status: 503, title: 'Cannot be decided right now' },
  AUTH_OVERLOADED: { status: 503, title: 'Too many logins at once' },
  BAD_REQUEST: { status: 400, title: 'The request is malformed' },
  VALIDATION_FAILED: { status: 400, title: 'The request does not fit the schema' },
  NOT_FOUND: { status: 404, title: 'There is nothing here' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The address is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body is not of the type that belongs here' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  SHUTTING_DOWN: { status: 503, title: 'The server is stopping' },
  INTERNAL_ERROR: { status: 500, title: 'Something went wrong on our side' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

export interface ErrorDetails {
  /** For the client: what to do about it. */
  detail?: string
  /** For the log only: which of several causes it was. */
  reason?: string
  /** Seconds until it is worth trying again; sent as `Retry-After` (RFC 9110 10.2.3). */
  retryAfter?: number
  cause?: unknown
}

/** An error with a stable code; `problem-details` renders it as `application/problem+json` (RFC 9457). */
export class PawlError extends Error {
  override readonly name = 'PawlError'
  readonly code: ErrorCode
  readonly statusCode: number
  readonly detail: string | undefined
  readonly reason: string | undefined
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(ERRORS[code].title, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.statusCode = ERRORS[code].status
    this.detail = details.detail
    this.reason = details.reason
    this.retryAfter = details.retryAfter ?? (this.statusCode === 503 ? 1 : undefined)
  }
}

/** A store that a decision needs did not answer: 503, and the caller may try again. */
export function unavailable(what: string, cause?: unknown): PawlError {
  return new PawlError('AUTH_UNAVAILABLE', { reason: `${what} is unavailable`, cause })
}
