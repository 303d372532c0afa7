import type { FastifyRequest } from 'fastify'
import { authOf } from '../auth.ts'
import { deviceOf } from '../device.ts'

/** Who does it, for the record. */
export function administratorOf(request: FastifyRequest) {
  return { actorId: authOf(request).userId, device: deviceOf(request), via: 'api' as const }
}
