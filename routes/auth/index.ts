import type { FastifyPluginAsync } from 'fastify'
import { callableBy } from '../caller.ts'
import { changeEmail } from './change-email.ts'
import { changePassword } from './change-password.ts'
import { deleteAccount } from './delete-account.ts'
import { endSession } from './end-session.ts'
import { endSessions } from './end-sessions.ts'
import { forgotPassword } from './forgot-password.ts'
import { listSessions } from './list-sessions.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { me } from './me.ts'
import { reauthenticate } from './reauthenticate.ts'
import { refresh } from './refresh.ts'
import { resetPassword } from './reset-password.ts'
import { sendVerification } from './send-verification.ts'
import { signup } from './signup.ts'
import { verifyEmail } from './verify-email.ts'

const PUBLIC_ROUTES = [refresh, logout]
const PUBLIC_LOGIN_ROUTES = [signup, login, forgotPassword, resetPassword, verifyEmail]
const USER_ROUTES = [me, listSessions, endSession, endSessions]
const USER_LOGIN_ROUTES = [
  changePassword,
  reauthenticate,
  sendVerification,
  changeEmail,
  deleteAccount,
]

export interface AuthOptions {
  /** Whether there are routes that take passwords. */
  login: boolean
}

/** Everything under `/auth`. */
export const authRoutes: FastifyPluginAsync<AuthOptions> = async (app, { login }) => {
  app.addHook('onRequest', app.forbidCaching)
  const routes = login ? [...PUBLIC_LOGIN_ROUTES, ...PUBLIC_ROUTES] : PUBLIC_ROUTES
  for (const route of routes) await app.register(route)
  await app.register(userRoutes, { login })
}

/** What users do with their own account and sessions, behind one guard: a valid access token. */
const userRoutes: FastifyPluginAsync<AuthOptions> = async (app, { login }) => {
  app.addHook('onRoute', callableBy('user'))
  app.addHook('preHandler', app.authenticate)
  const routes = login ? [...USER_ROUTES, ...USER_LOGIN_ROUTES] : USER_ROUTES
  for (const route of routes) await app.register(route)
}
