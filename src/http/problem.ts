import { ERRORS, type PawlError } from '../errors.ts'
import type { Problem } from '../schemas/problem.ts'

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8'

/** Returns the problem document that the client gets for an error (RFC 9457 3.1). */
export function toProblem({ code, statusCode, detail, errors }: PawlError): Problem {
  const type = `urn:pawl:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return {
    type,
    title: ERRORS[code].title,
    status: statusCode,
    ...(detail && { detail }),
    code,
    ...(errors && { errors }),
  }
}

/** Returns the problem document of a route that OAuth defines: it carries an OAuth `error`, too. */
export function toOauthProblem(error: PawlError): Problem {
  return { ...toProblem(error), error: oauthErrorOf(error.statusCode) }
}

/** RFC 6749 5.2, and 4.1.2.1 for errors that are not the fault of the client. */
function oauthErrorOf(status: number): string {
  if (status === 401) return 'invalid_client'
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  return status < 500 ? 'invalid_request' : 'server_error'
}
