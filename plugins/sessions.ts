import fp from 'fastify-plugin'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'
import { createRevocationRecords } from '../src/revocation/revocation-records.ts'
import { createRetention } from '../src/sessions/retention.ts'
import { createSessionService, type SessionService } from '../src/sessions/session-service.ts'
import { createSessionStarter } from '../src/sessions/session-starter.ts'
import { createSessionViews } from '../src/sessions/session-views.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sessions: SessionService
  }
}

export interface SessionsOptions {
  /** Milliseconds, as below. */
  accessTokenTtl: number
  refreshIdleTtl: number
  sessionMaxTtl: number
}

/** Decorates the instance with `sessions`, the session service, and deletes old sessions. */
export const sessions = fp(
  async (app, { accessTokenTtl, refreshIdleTtl, sessionMaxTtl }: SessionsOptions) => {
    const { database, accessTokens, refreshTokens, sessionRecords: records, revoker } = app
    const { sessionCap: cap, log } = app
    const { store, now: clock } = app.hotState
    const { deleteExpired, deleteRevocations } = createRetention(database)
    const cleanup = createCleanupWorker(
      [() => deleteExpired(sessionMaxTtl, clock()), () => deleteRevocations(accessTokenTtl)],
      log,
    )
    cleanup.start()
    app.addHook('onClose', cleanup.stop)
    app.decorate(
      'sessions',
      createSessionService({
        starter: createSessionStarter({
          store,
          records,
          cap,
          settleVersion: revoker.settleVersion,
          sessionMaxTtl,
        }),
        views: createSessionViews(database),
        accessTokens,
        refreshTokens,
        addedClaims: app.addedClaims,
        revocationRecords: createRevocationRecords(database),
        revoker,
        refreshIdleTtl,
        onEvent: app.events.record,
        clock,
      }),
    )
  },
  { name: 'pawl-sessions', dependencies: ['pawl-hot-state', 'pawl-tokens'] },
)
