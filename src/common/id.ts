import { validate } from 'uuid'

/** An id that a client named, in the form in which it is kept; undefined where it is none. */
export function parseId(text: string): string | undefined {
  return validate(text) ? text.toLowerCase() : undefined
}
