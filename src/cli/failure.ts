import { errorText } from '../common/error-text.ts'
import { DirectoryInUseError } from '../db/directory-lock.ts'
import { PawlError } from '../errors.ts'

const STOP_FIRST =
  'Only one process can use the embedded database. Stop the server, repeat the command, ' +
  'and start the server again. All users stay logged in.'

/** Returns the text that explains an error to an operator and says what to do about it. */
export function describeFailure(error: unknown): string {
  if (error instanceof PawlError) {
    if (error.detail) return `${error.message}. ${error.detail}`
    return error.reason ? `${error.message}: ${error.reason}` : error.message
  }
  if (error instanceof DirectoryInUseError) return `${error.message}\n${STOP_FIRST}`
  return errorText(error)
}
