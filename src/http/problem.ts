import { ERRORS, type PawlError } from '../errors.ts'
import type { Problem } from '../schemas/problem.ts'

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8'

/** What the client is told of an error (RFC 9457 3.1). */
export function toProblem({ code, statusCode, detail }: PawlError): Problem {
  const type = `urn:pawl:problem:${code.toLowerCase().replaceAll('_', '-')}`
  return { type, title: ERRORS[code].title, status: statusCode, ...(detail && { detail }), code }
}
