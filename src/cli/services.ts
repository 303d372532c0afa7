import { createSharedClock } from '../common/clocks.ts'
import { type DatabaseConfig, loadDatabaseConfig } from '../config/config.ts'
import type { Database } from '../db/database.ts'
import type { NewEvent, SecurityEvent } from '../events/event.ts'
import { insertEvents } from '../events/event-records.ts'
import type { CommittedRevocation } from '../revocation/revocation-reader.ts'
import { createRevocationRecords, type OnCommit } from '../revocation/revocation-records.ts'
import { createSessionViews } from '../sessions/session-views.ts'
import { createAccountService } from '../users/account-service.ts'
import { createAdministration } from '../users/administration.ts'
import { createPasswordHasher } from '../users/password-hasher.ts'
import { createPasswordPolicy } from '../users/password-policy.ts'
import { createUserChangeRecords } from '../users/user-change-records.ts'
import { createUserChangeService } from '../users/user-change-service.ts'
import { createUserRecords } from '../users/user-records.ts'
import { postgresTime, withDatabase } from './database.ts'
import { createPublications } from './publications.ts'
import type { Terminal } from './terminal.ts'

/** Who administers, for the security events. */
export const OPERATOR = { via: 'cli' } as const

export type Services = Awaited<ReturnType<typeof createServices>>

/** Runs `work` with the services that administer users and sessions. */
export function withServices<T>(
  { env }: Terminal,
  work: (services: Services) => Promise<T>,
): Promise<T> {
  const config = loadDatabaseConfig(env)
  return withDatabase(config, async (database) => work(await createServices(database, config)))
}

/**
 * Creates the services of the API, without Redis and without the server's secrets. What they change
 * is committed in Postgres, and the running servers publish it.
 */
async function createServices(database: Database, config: DatabaseConfig) {
  // The time of Postgres, because the clock of this machine may be wrong.
  const postgresClock = createSharedClock()
  postgresClock.observe(await postgresTime(database))
  const clock = postgresClock.now
  const users = createUserRecords(database)
  const publications = createPublications(database, config)
  const events = createEventBuffer(database, clock)

  async function publish(revocation: CommittedRevocation): Promise<void> {
    publications.expect(revocation)
  }

  const revocationRecords = createRevocationRecords(database)
  const sessions = {
    list: (userId: string) =>
      createSessionViews(database).list(userId, clock(), config.refreshIdleTtl),

    async revokeAll(onCommit?: OnCommit) {
      // Sessions start by the clock of Redis, which is unknown here. If an epoch began at a time
      // ahead of that clock, the logins of the next minutes would be revoked too.
      const { before, later } = await revocationRecords.revokeAll(undefined, onCommit)
      await publish({ kind: 'everything', before })
      for (const session of later) await publish({ kind: 'session', ...session })
    },
  }
  const administration = createAdministration({
    records: users,
    accounts: createAccountService({
      records: users,
      hasher: createPasswordHasher(config),
      policy: createPasswordPolicy(config),
      signup: false,
    }),
    userChanges: createUserChangeService({
      records: createUserChangeRecords(database),
      events,
      publish,
      clock,
    }),
    sessions,
    events,
    clock,
  })
  return { database, clock, users, administration, publications, events }
}

/** Stands in for the event log of a server: keeps events until the command writes them. */
function createEventBuffer({ orm, query }: Database, clock: () => number) {
  const buffer: SecurityEvent[] = []
  return {
    record(event: NewEvent): void {
      buffer.push({ ...event, at: clock() })
    },

    /** Does nothing: the log is that of the server. */
    announce(): void {},

    async write(): Promise<void> {
      const events = buffer.splice(0)
      if (events.length > 0) await query(insertEvents(orm, ...events))
    },
  }
}
