import fp from 'fastify-plugin'
import { parseId } from '../src/common/id.ts'
import type { TokenPair } from '../src/embedding/views.ts'
import { PawlError } from '../src/errors.ts'
import { deviceOf } from '../src/http/client-address.ts'
import type { PawlApplication, SessionStart } from '../src/http/pawl-application.ts'
import { requireValid } from '../src/http/require-valid.ts'
import { createRevocationReader } from '../src/revocation/revocation-reader.ts'
import { ApplicationUser as ApplicationUserSchema, NewSession } from '../src/schemas/service.ts'
import type { Device } from '../src/sessions/device.ts'
import { checkClaims } from '../src/tokens/session-constants.ts'
import { createApplicationUsers } from '../src/users/application-users.ts'
import { toUserView } from '../src/users/user-page.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    application: PawlApplication & {
      /** Like `sessions.start`, for a user who is at another device than the one that asks. */
      startFor(device: Device, start: SessionStart): Promise<TokenPair>
    }
  }
}

export interface ApplicationOptions {
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with `application`. */
export const application = fp(
  async (app, { clock = Date.now }: ApplicationOptions) => {
    const { administration, events, refreshCookie, sessions, tokens, userChanges } = app
    const records = createUserRecords(app.database)
    const users = createApplicationUsers({
      records,
      administration,
      events,
      findPending: createRevocationReader(app.database).findPending,
      publish: app.revoker.publish,
      clock,
    })
    const requireUser = requireValid('app.pawl.users.put', ApplicationUserSchema)
    const requireStart = requireValid('app.pawl.sessions.start', NewSession)

    async function startFor(
      device: Device,
      { user, amr, authTime, claims }: SessionStart,
      beforeStart = async () => {},
    ): Promise<TokenPair> {
      const constants = {
        amr,
        ...(authTime !== undefined && { authTime }),
        ...(claims && { claims: toClaims(claims) }),
      }
      // Checked first, so that a node that cannot start a session changes nothing.
      await tokens.ping()
      const account = await users.put(user)
      if (account.status !== 'active')
        throw new PawlError('AUTH_FORBIDDEN', { detail: 'The user is disabled.' })
      const prepared = await sessions.prepare(account, constants)
      await beforeStart()
      return sessions.start(account, device, prepared)
    }

    app.decorate('application', {
      startFor: (device, start) => startFor(device, start),
      sessions: {
        async start(request, reply, { delivery, ...start }) {
          requireStart(start)
          const { claims } = start
          const checked = claims && checkClaims(claims)
          if (checked && 'problem' in checked)
            throw new TypeError(`app.pawl.sessions.start: claims ${checked.problem}`)
          const byCookie = refreshCookie.isWanted(request, delivery)
          const endReplaced = async () => {
            if (byCookie) await refreshCookie.endReplaced(request, delivery)
          }
          const pair = await startFor(deviceOf(request), start, endReplaced)
          // RFC 6749 5.1.
          reply.header('cache-control', 'no-store')
          return byCookie ? refreshCookie.deliver(request, reply, pair, true) : pair
        },
        list: sessions.list,
        end: (sessionId) => sessions.endById(sessionId, 'ended_by_application'),
        async endAll(userId, { except } = {}) {
          if (except !== undefined && !parseId(except))
            throw new TypeError('app.pawl.sessions.endAll: except must be the id of a session')
          const change = { revokeSessions: { reason: 'ended_by_application', except } } as const
          return (await userChanges.apply(userId, change, {}, () => [])) !== undefined
        },
      },
      on: events.on,
      metrics: app.metrics.text,
      users: {
        ...users,
        async put(user) {
          requireUser(user)
          return toUserView(await users.put(user))
        },
      },
    })
  },
  {
    name: 'pawl-application',
    dependencies: ['pawl-administration', 'pawl-refresh-cookie', 'pawl-sessions', 'pawl-tokens'],
  },
)

function toClaims(claims: unknown): Record<string, unknown> {
  const checked = checkClaims(claims)
  if ('claims' in checked) return checked.claims
  throw new PawlError('VALIDATION_FAILED', {
    detail: `body/claims: ${checked.problem}`,
    errors: [{ field: 'claims', message: checked.problem }],
  })
}
