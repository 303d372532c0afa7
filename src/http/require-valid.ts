import type { TSchema } from '@sinclair/typebox'
import { compileValidator, toFieldErrors } from './validation.ts'

/**
 * Returns a function that throws a `TypeError` if a value of the application does not match: it is
 * a mistake in the application, and not of its user. The message does not repeat the value.
 */
export function requireValid(method: string, schema: TSchema): (value: unknown) => void {
  const validate = compileValidator({ schema, httpPart: 'body' })
  return (value) => {
    const result = validate(value)
    if ('value' in result) return
    const problems = toFieldErrors(result.error).map(({ field, message }) => `${field} ${message}`)
    throw new TypeError(`${method}: ${problems.join('; ')}`)
  }
}
