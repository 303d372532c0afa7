import { validate } from 'uuid'

/** Returns an id from a client in the form in which it is stored, or undefined if it is no UUID. */
export function parseId(text: string): string | undefined {
  return validate(text) ? text.toLowerCase() : undefined
}
