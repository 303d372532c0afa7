import { PASSWORD } from '../credentials.ts'
import type { ServerProcess } from '../server-process.ts'
import { type Cast, send } from './people.ts'

const NEXT = 'a ratchet of another wheel'

/** Of a session: nothing is left; its access tokens are dead and its refresh goes on; nothing has happened to it. */
export type Fate = 'ends' | 'refreshes' | 'goes on'

interface Trigger {
  pull(server: ServerProcess, cast: Cast): Promise<Response>
  status: number
  own: Fate
  other: Fate
  /** Of a stranger and the administrator; `goes on` unless given. */
  others?: Fate
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
    own: 'ends',
    other: 'goes on',
  },
  'a change of the password': {
    pull: (server, { own }) =>
      send(server, 'POST', '/auth/password', own.accessToken, {
        currentPassword: PASSWORD,
        newPassword: NEXT,
      }),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'a change of roles': {
    pull: patch({ roles: ['editor'] }),
    status: 200,
    own: 'refreshes',
    other: 'refreshes',
  },
  'a change of roles with logout': {
    pull: patch({ roles: ['editor'], sessions: 'logout' }),
    status: 200,
    own: 'ends',
    other: 'ends',
  },
  disabling: { pull: patch({ status: 'disabled' }), status: 200, own: 'ends', other: 'ends' },
  'disabling with refresh': {
    pull: patch({ status: 'disabled', sessions: 'refresh' }),
    status: 200,
    own: 'ends',
    other: 'ends',
  },
  deleting: {
    pull: (server, { user, admin }) =>
      send(server, 'DELETE', `/admin/users/${user.id}`, admin.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  'ending one': {
    pull: (server, { own, other }) =>
      send(server, 'DELETE', `/auth/sessions/${other.sessionId}`, own.accessToken),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'ending the others': {
    pull: (server, { own }) =>
      send(server, 'DELETE', '/auth/sessions?except=current', own.accessToken),
    status: 204,
    own: 'goes on',
    other: 'ends',
  },
  'ending all': {
    pull: (server, { own }) => send(server, 'DELETE', '/auth/sessions', own.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  'ending all by an administrator': {
    pull: (server, { user, admin }) =>
      send(server, 'DELETE', `/admin/users/${user.id}/sessions`, admin.accessToken),
    status: 204,
    own: 'ends',
    other: 'ends',
  },
  // The last: it leaves nothing behind.
  'revoking everything': {
    pull: (server, { admin }) => send(server, 'POST', '/admin/revoke-all', admin.accessToken),
    status: 202,
    own: 'ends',
    other: 'ends',
    others: 'ends',
  },
}
