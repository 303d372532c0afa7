/** What came of a call to Pawl that was refused, or had no answer. */
export class PawlClientError extends Error {
  override readonly name = 'PawlClientError'
  /** Of the answer; 0 where there was none. */
  readonly status: number
  /** The stable code of the problem document. */
  readonly code: string | undefined
  /** Seconds. */
  readonly retryAfter: number

  constructor(
    status: number,
    problem: { title?: string; detail?: string; code?: string },
    retryAfter: number,
    cause?: unknown,
  ) {
    super(problem.detail ?? problem.title ?? (status ? `HTTP ${status}` : 'No answer'), { cause })
    this.status = status
    this.code = problem.code
    this.retryAfter = retryAfter
  }
}
