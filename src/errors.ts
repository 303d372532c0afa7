/**
 * Every error of the API, by its stable code. Clients see the title. The `reason` is logged and
 * never sent. `docs/errors.md` says when each error occurs.
 */
export const ERRORS = {
  AUTH_INVALID_CREDENTIALS: { status: 401, title: 'E-mail or password is wrong' },
  AUTH_INVALID_REFRESH_TOKEN: { status: 401, title: 'The refresh token is not accepted' },
  AUTH_MISSING_TOKEN: { status: 401, title: 'A token is required' },
  AUTH_INVALID_TOKEN: { status: 401, title: 'The token is not accepted' },
  AUTH_REAUTHENTICATION_REQUIRED: { status: 401, title: 'The user has to authenticate again' },
  AUTH_WRONG_PASSWORD: { status: 403, title: 'The current password is wrong' },
  AUTH_EMAIL_UNVERIFIED: { status: 403, title: 'The e-mail address is not verified' },
  AUTH_INVALID_CLIENT: { status: 401, title: 'The credentials of the client are not accepted' },
  AUTH_FORBIDDEN: { status: 403, title: 'Not allowed for this user' },
  AUTH_ORIGIN_NOT_ALLOWED: { status: 403, title: 'Not allowed from this origin' },
  AUTH_SIGNUP_DISABLED: { status: 403, title: 'Sign-up is disabled' },
  AUTH_EMAIL_TAKEN: { status: 409, title: 'The e-mail address is already registered' },
  USER_ID_TAKEN: { status: 409, title: 'There is a user with this id' },
  ADMIN_REQUIRED: { status: 409, title: 'There would be no active administrator left' },
  AUTH_PASSWORD_REJECTED: { status: 400, title: 'The password is not acceptable' },
  AUTH_CODE_INVALID: { status: 400, title: 'The link or code is not valid any more' },
  AUTH_UNAVAILABLE: { status: 503, title: 'The service is temporarily unavailable' },
  AUTH_OVERLOADED: { status: 503, title: 'Too many logins at the same time' },
  BAD_REQUEST: { status: 400, title: 'The request is malformed' },
  VALIDATION_FAILED: { status: 400, title: 'The request does not match the schema' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The URL is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The content type is not supported' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  SHUTTING_DOWN: { status: 503, title: 'The server is stopping' },
  INTERNAL_ERROR: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

/** What is wrong with a field of a form, in words for people. */
export interface FieldError {
  /** The name of the field, such as `email` or `roles.0`. Empty for the request as a whole. */
  field: string
  message: string
}

export interface ErrorDetails {
  /** Explains to the client why this request failed. */
  detail?: string
  /** Says which fields of the request are not acceptable. */
  errors?: FieldError[]
  /** Says which of several causes it was. For the log only. */
  reason?: string
  /** Seconds until another attempt makes sense, sent as `Retry-After` (RFC 9110 10.2.3). */
  retryAfter?: number
  /** Seconds since the authentication that are allowed, for the challenge (RFC 9470 3). */
  maxAge?: number
  /** Whether the request had a token that no key of Pawl verifies. For the record of events. */
  isForged?: boolean
  cause?: unknown
}

/** An error with a stable code. The API renders it as `application/problem+json` (RFC 9457). */
export class PawlError extends Error {
  override readonly name = 'PawlError'
  readonly code: ErrorCode
  readonly statusCode: number
  readonly detail: string | undefined
  readonly errors: FieldError[] | undefined
  readonly reason: string | undefined
  readonly retryAfter: number | undefined
  readonly maxAge: number | undefined
  readonly isForged: boolean

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    super(ERRORS[code].title, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.statusCode = ERRORS[code].status
    this.detail = details.detail
    this.errors = details.errors
    this.reason = details.reason
    this.maxAge = details.maxAge
    this.isForged = details.isForged ?? false
    this.retryAfter = details.retryAfter ?? (this.statusCode === 503 ? 1 : undefined)
  }
}

/** Returns the 503 for a dependency that is unavailable. The client may try again. */
export function unavailable(dependency: string, cause?: unknown): PawlError {
  return new PawlError('AUTH_UNAVAILABLE', { reason: `${dependency} is unavailable`, cause })
}
