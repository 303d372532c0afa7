import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { callableBy } from '../caller.ts'
import { changeUser } from './change-user.ts'
import { createUser } from './create-user.ts'
import { deleteUser } from './delete-user.ts'
import { endUserSessions } from './end-user-sessions.ts'
import { getUser } from './get-user.ts'
import { listEvents } from './list-events.ts'
import { listUserSessions } from './list-user-sessions.ts'
import { listUsers } from './list-users.ts'
import { resetUserPassword } from './reset-password.ts'
import { revokeAll } from './revoke-all.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The administrator who sent the request, for the record. Only on routes under `/admin`. */
    administrator: { actorId: string; device: FastifyRequest['device']; via: 'api' }
  }
}

const ROUTES = [
  listUsers,
  createUser,
  getUser,
  changeUser,
  deleteUser,
  listUserSessions,
  endUserSessions,
  resetUserPassword,
  revokeAll,
  listEvents,
]

/** Everything under `/admin`, behind one guard: the role `admin`. */
export const adminRoutes: FastifyPluginAsync = async (app) => {
  const guardReading = app.authorize({ roles: ['admin'] })
  const guardChanging = app.authorize({ roles: ['admin'], fresh: true })

  app.addHook('onRoute', callableBy('admin'))
  app.addHook('onRequest', app.forbidCaching)
  app.addHook('preHandler', function (request, reply) {
    const guard = isReading(request) ? guardReading : guardChanging
    return guard.call(this, request, reply)
  })
  app.decorateRequest('administrator', {
    getter() {
      return { actorId: this.requireAuth().userId, device: this.device, via: 'api' as const }
    },
  })
  for (const route of ROUTES) await app.register(route)
}

/** The safe methods of RFC 9110 9.2.1. Every other method changes something. */
function isReading({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}
