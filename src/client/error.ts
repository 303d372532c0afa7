/** The part of a problem document (RFC 9457) that the client uses. */
export interface Problem {
  type?: string
  title?: string
  detail?: string
  code?: string
  errors?: readonly { field: string; message: string }[]
}

/** The error of a call that Pawl refused, or to which Pawl did not respond. */
export class PawlClientError extends Error {
  override readonly name = 'PawlClientError'
  /** The HTTP status, of Pawl or of a proxy, or 0 without a complete response. */
  declare readonly status: number
  /** Pawl's stable code. Undefined if the response did not come from Pawl. */
  declare readonly code: string | undefined
  /** What is wrong with the fields of a form, by the name of the field. */
  declare readonly fields: Readonly<Record<string, string>>
  /** Seconds to wait before a retry, from `Retry-After`; 0 if the server does not say. */
  declare readonly retryAfter: number
  /**
   * True if Pawl did not respond: there is no network, or something in between responded, such as
   * a proxy or the sign-in page of a public network.
   */
  declare readonly offline: boolean

  constructor(status: number, problem: Problem = {}, retryAfter = 0, cause?: unknown) {
    const { title, detail, code, errors = [] } = problem
    super(detail ?? title ?? 'No response', { cause })
    this.status = status
    this.code = code
    this.fields = Object.fromEntries(errors.map(({ field, message }) => [field, message]))
    this.retryAfter = retryAfter
    this.offline = !code
  }
}

/** Returns the error of a request whose user is no longer signed in when it could be sent. */
export const signedOut = () => new PawlClientError(401, { title: 'Signed out', code: 'SIGNED_OUT' })
