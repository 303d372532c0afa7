import { setTimeout as delay } from 'node:timers/promises'
import { copyDatabase } from '../support/database-copy.ts'
import { type Fault, HARMLESS, LOSES_COMMITS, stall } from './fault.ts'
import { anyOf } from './faults.ts'
import { copyPostgres } from './postgres-copy.ts'
import type { System } from './system.ts'

/** How many sessions `many-revocations` revokes each time. */
const MANY = 100_000

/** Ends the connections of the servers, so that a setting of the database applies to new ones. */
const endConnections = ({ sql }: System) => sql`
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`

async function setReadOnly(system: System, isReadOnly: boolean): Promise<void> {
  const { sql } = system
  const [row] = await sql`select current_database() as name`
  await sql.begin(async (tx) => {
    await tx`set transaction read write`
    await tx.unsafe(
      `alter database "${row?.name}" set default_transaction_read_only to ${isReadOnly}`,
    )
  })
  await endConnections(system)
}

/** Repeats a restore that the servers have deadlocked with. */
async function insist(work: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 10) throw error
    }
  }
}

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    name: 'postgres-stop',
    description: 'SIGSTOP of every process of Postgres for longer than the staleness bound',
    ...HARMLESS,
    async inject(system, random) {
      await system.signalPostgres('SIGSTOP')
      await stall(random)
      await system.signalPostgres('SIGCONT')
    },
  },
  {
    name: 'postgres-restart',
    description: 'restart of Postgres, after a fast shutdown or a kill -9 of its main process',
    ...HARMLESS,
    inject: (system, random) => system.restartPostgres(random.pick(['SIGINT', 'SIGKILL'])),
  },
  {
    name: 'postgres-failover',
    description: 'promotion of a replica that was cut off before: the last commits are lost',
    ...LOSES_COMMITS,
    async inject({ postgres, sql }, random) {
      const promote = await copyPostgres(postgres, sql)
      await delay(random.between(500, 3_000))
      await promote()
    },
  },
  {
    name: 'postgres-restore',
    description: 'restore of a copy of all tables: the last commits are lost',
    ...LOSES_COMMITS,
    async inject({ sql }, random) {
      const putBack = await copyDatabase(sql)
      await delay(random.between(500, 3_000))
      await insist(putBack)
    },
  },
  {
    name: 'postgres-read-only',
    description: 'Postgres accepts connections and reads, but no writes',
    ...HARMLESS,
    async inject(system, random) {
      await setReadOnly(system, true)
      await stall(random)
      await setReadOnly(system, false)
    },
  },
  {
    name: 'locked-table',
    description: 'an exclusive lock on the sessions, for longer than statements wait for a lock',
    ...HARMLESS,
    async inject({ sql }, random) {
      await sql.begin(async (tx) => {
        await tx`lock table sessions in access exclusive mode`
        await delay(random.between(2_500, 4_500))
      })
    },
  },
  {
    name: 'many-revocations',
    description: `${MANY.toLocaleString('en')} sessions are revoked, and then each server connects to Redis again`,
    ...HARMLESS,
    async inject(system, random) {
      const { sql, links } = system
      await sql.begin(async (tx) => {
        await tx`
          insert into users (id, email, password_hash)
          values ('00000000-0000-7000-8000-000000000000', 'many@example.com', '')
          on conflict do nothing`
        await tx`
          insert into sessions (
            id, user_id, created_at, expires_at, last_seen_at, revoked_at, revoked_reason, published_at)
          select gen_random_uuid(), '00000000-0000-7000-8000-000000000000', now(),
            now() + interval '1 day', now(), clock_timestamp(), 'logout', now()
          from generate_series(1, ${MANY})`
      })
      for (let count = 0; count < links.length; count++) {
        for (const link of links[anyOf(system, random)] ?? []) link.reset()
        await delay(random.between(0, 1_000))
      }
    },
  },
]
