import { PawlError } from '../errors.ts'

/** What the operator is told of an error: what went wrong and what to do about it, without a stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof PawlError) {
    if (error.detail) return `${error.message}. ${error.detail}`
    return error.reason ? `${error.message}: ${error.reason}` : error.message
  }
  return error instanceof Error ? error.message : String(error)
}
