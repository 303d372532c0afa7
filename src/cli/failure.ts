import { DirectoryInUseError } from '../db/directory-lock.ts'
import { PawlError } from '../errors.ts'

const STOP_FIRST =
  'The embedded database takes one process at a time. Stop the server, repeat the command, start the server again: that logs nobody out.'

/** What the operator is told of an error: what went wrong and what to do about it, without a stack. */
export function describeFailure(error: unknown): string {
  if (error instanceof PawlError) {
    if (error.detail) return `${error.message}. ${error.detail}`
    return error.reason ? `${error.message}: ${error.reason}` : error.message
  }
  if (error instanceof DirectoryInUseError) return `${error.message}\n${STOP_FIRST}`
  return error instanceof Error ? error.message : String(error)
}
