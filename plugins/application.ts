import type { TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { PawlError } from '../src/errors.ts'
import { deviceOf } from '../src/http/client-address.ts'
import { compileValidator, toFieldErrors } from '../src/http/validation.ts'
import { createRevocationReader } from '../src/revocation/revocation-reader.ts'
import { ApplicationUser as ApplicationUserSchema, NewSession } from '../src/schemas/service.ts'
import type { DeliveredTokens } from '../src/schemas/token-pair.ts'
import type { Device } from '../src/sessions/device.ts'
import type { SessionView } from '../src/sessions/session-views.ts'
import { checkClaims } from '../src/tokens/session-constants.ts'
import type { TokenPair } from '../src/tokens/token-pair.ts'
import {
  type ApplicationUser,
  type ApplicationUsers,
  createApplicationUsers,
} from '../src/users/application-users.ts'
import { toUserView, type UserView } from '../src/users/user-page.ts'
import { createUserRecords } from '../src/users/user-records.ts'

/** A user whom the application has authenticated, and how. */
export interface SessionStart {
  user: Omit<ApplicationUser, 'status'>
  /** How: values of RFC 8176, such as `pwd`, `otp` or `hwk`. */
  amr: readonly string[]
  /** When, in seconds since 1970, and now by default. */
  authTime?: number | undefined
  /**
   * What every access token of the session contains besides: at most 1 kB as JSON. The names of
   * claims that are registered for tokens, or that Pawl uses, are refused.
   */
  claims?: Readonly<Record<string, unknown>> | undefined
}

export interface SessionDelivery {
  /**
   * Where the refresh token goes. By default the request decides, with `X-Token-Delivery`. A page
   * that the browser has navigated to cannot send that header. With `cookie`, Pawl does not check
   * where the request came from, as the response to a sign-in elsewhere comes from there.
   */
  delivery?: 'body' | 'cookie'
}

/** What the application asks of Pawl: `app.pawl`. */
export interface PawlApplication {
  sessions: {
    /**
     * Starts a session for a user whom the application has just authenticated, and creates the user
     * if needed. Returns the body of the response: the token pair, without the refresh token if
     * that goes into the cookie, which it sets on `reply`. The session of a cookie that this one
     * replaces ends. Rejects with `AUTH_FORBIDDEN` if the user is disabled, with `AUTH_EMAIL_TAKEN`
     * if another user has the address, and with `AUTH_UNAVAILABLE`.
     */
    start(
      request: FastifyRequest,
      reply: FastifyReply,
      start: SessionStart & SessionDelivery,
    ): Promise<DeliveredTokens>
    /** Returns the live sessions of a user, newest first. */
    list(userId: string): Promise<SessionView[]>
    /**
     * Ends a session. When it resolves, every node refuses its tokens, at the latest after
     * `REVOCATION_MAX_STALENESS`. Returns false if there never was such a session.
     */
    end(sessionId: string): Promise<boolean>
    /** Ends all sessions of a user, or all but one. Returns false if there is no such user. */
    endAll(userId: string, options?: { except?: string | undefined }): Promise<boolean>
  }
  users: Pick<ApplicationUsers, 'find' | 'delete'> & {
    /** Like `put` of the service. Throws a `TypeError` if a value is not valid. */
    put(user: ApplicationUser): Promise<UserView>
  }
}

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
          const change = { revokeSessions: { reason: 'ended_by_application', except } } as const
          return (await userChanges.apply(userId, change, {}, () => [])) !== undefined
        },
      },
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

/**
 * Returns a function that throws a `TypeError` if a value of the application does not match: it is
 * a mistake in the application, and not of its user. The message does not repeat the value.
 */
function requireValid(method: string, schema: TSchema): (value: unknown) => void {
  const validate = compileValidator({ schema, httpPart: 'body' })
  return (value) => {
    const result = validate(value)
    if ('value' in result) return
    const problems = toFieldErrors(result.error).map(({ field, message }) => `${field} ${message}`)
    throw new TypeError(`${method}: ${problems.join('; ')}`)
  }
}
