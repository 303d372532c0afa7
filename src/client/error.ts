/** The error of a call that Pawl refused, or whose response was incomplete or missing. */
export class PawlClientError extends Error {
  override readonly name = 'PawlClientError'
  /** The HTTP status, or 0 without a complete response. */
  readonly status: number
  /** The stable code of the problem document. */
  readonly code: string | undefined
  /** Seconds to wait before a retry, from `Retry-After`; 0 if the server does not say. */
  readonly retryAfter: number

  constructor(
    status: number,
    problem: { title?: string; detail?: string; code?: string },
    retryAfter: number,
    cause?: unknown,
  ) {
    super(problem.detail ?? problem.title ?? (status ? `HTTP ${status}` : 'No response'), { cause })
    this.status = status
    this.code = problem.code
    this.retryAfter = retryAfter
  }
}
