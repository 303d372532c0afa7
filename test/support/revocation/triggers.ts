import { PASSWORD } from '../credentials.ts'
import type { ServerProcess } from '../server-process.ts'
import { type People, send } from './people.ts'

const NEW_PASSWORD = 'a ratchet of another wheel'

/**
 * What happens to a session. If it is `revoked`, all its tokens are refused. If it is `outdated`,
 * its access tokens are refused, and a refresh returns new ones.
 */
export type Effect = 'revoked' | 'outdated' | 'unaffected'

interface Trigger {
  pull(server: ServerProcess, people: People): Promise<Response>
  status: number
  own: Effect
  other: Effect
  /** On the sessions of the other user and of the administrator; `unaffected` by default. */
  others?: Effect
}

export const patch =
  (body: object): Trigger['pull'] =>
  (server, { user, admin }) =>
    send(server, 'PATCH', `/admin/users/${user.id}`, admin.accessToken, body)

export const TRIGGERS: Record<string, Trigger> = {
  logout: {
    pull: (server, { own }) =>
      send(server, 'POST', '/auth/logout', undefined, { refreshToken: own.refreshToken }),
    status: 204,
    own: 'revoked',
    other: 'unaffected',
  },
  'password change': {
    pull: (server, { own }) =>
      send(server, 'POST', '/auth/password', own.accessToken, {
        currentPassword: PASSWORD,
        newPassword: NEW_PASSWORD,
      }),
    status: 200,
    own: 'revoked',
    other: 'revoked',
  },
  'role change': {
    pull: patch({ roles: ['editor'] }),
    status: 200,
    own: 'outdated',
    other: 'outdated',
  },
  'role change with logout': {
    pull: patch({ roles: ['editor'], sessions: 'logout' }),
    status: 200,
    own: 'revoked',
    other: 'revoked',
  },
  'disabling the user': {
    pull: patch({ status: 'disabled' }),
    status: 200,
    own: 'revoked',
    other: 'revoked',
  },
  'disabling the user with refresh': {
    pull: patch({ status: 'disabled', sessions: 'refresh' }),
    status: 200,
    own: 'revoked',
    other: 'revoked',
  },
  'deleting the user': {
    pull: (server, { user, admin }) =>
      send(server, 'DELETE', `/admin/users/${user.id}`, admin.accessToken),
    status: 204,
    own: 'revoked',
    other: 'revoked',
  },
  'ending one session': {
    pull: (server, { own, other }) =>
      send(server, 'DELETE', `/auth/sessions/${other.sessionId}`, own.accessToken),
    status: 204,
    own: 'unaffected',
    other: 'revoked',
  },
  'ending the other sessions': {
    pull: (server, { own }) =>
      send(server, 'DELETE', '/auth/sessions?except=current', own.accessToken),
    status: 204,
    own: 'unaffected',
    other: 'revoked',
  },
  'ending all sessions': {
    pull: (server, { own }) => send(server, 'DELETE', '/auth/sessions', own.accessToken),
    status: 204,
    own: 'revoked',
    other: 'revoked',
  },
  'an administrator ending all sessions': {
    pull: (server, { user, admin }) =>
      send(server, 'DELETE', `/admin/users/${user.id}/sessions`, admin.accessToken),
    status: 204,
    own: 'revoked',
    other: 'revoked',
  },
  // This is the last trigger, because it revokes the sessions of everybody.
  'revoking everything': {
    pull: (server, { admin }) => send(server, 'POST', '/admin/revoke-all', admin.accessToken),
    status: 202,
    own: 'revoked',
    other: 'revoked',
    others: 'revoked',
  },
}
