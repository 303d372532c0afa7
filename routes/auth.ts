import type { FastifyRequest } from 'fastify'
import { PawlError } from '../src/errors.ts'

/** Whom the request acts for, on a route that has `authenticate` or `authorize` before it. */
export function authOf({ auth }: FastifyRequest) {
  if (!auth) throw new PawlError('AUTH_MISSING_TOKEN')
  return auth
}
