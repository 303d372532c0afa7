/** What came of a call to Pawl, where it was refused or there was no answer. */
export class PawlClientError extends Error {
  override readonly name = 'PawlClientError'
  /** Of the answer; 0 where there was none. */
  readonly status: number
  /** The stable code of the problem document, as in docs/errors.md. */
  readonly code: string | undefined
  /** Seconds. */
  readonly retryAfter: number

  constructor(status: number, problem: { title?: string; detail?: string; code?: string }, retryAfter = 0) {
    super(problem.detail ?? problem.title ?? (status ? `HTTP ${status}` : 'No answer'))
    this.status = status
    this.code = problem.code
    this.retryAfter = retryAfter
  }
}
