import type { FastifyPluginAsync } from 'fastify'
import { callableBy } from '../caller.ts'
import { changePassword } from './change-password.ts'
import { endSession } from './end-session.ts'
import { endSessions } from './end-sessions.ts'
import { listSessions } from './list-sessions.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { me } from './me.ts'
import { reauthenticate } from './reauthenticate.ts'
import { refresh } from './refresh.ts'
import { signup } from './signup.ts'

const PUBLIC_ROUTES = [signup, login, refresh, logout]
const USER_ROUTES = [me, changePassword, reauthenticate, listSessions, endSession, endSessions]

/** Everything under `/auth`. */
export const authRoutes: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', app.forbidCaching)
  for (const route of PUBLIC_ROUTES) await app.register(route)
  await app.register(userRoutes)
}

/** What users do with their own account and sessions, behind one guard: a valid access token. */
const userRoutes: FastifyPluginAsync = async (app) => {
  app.addHook('onRoute', callableBy('user'))
  app.addHook('preHandler', app.authenticate)
  for (const route of USER_ROUTES) await app.register(route)
}
