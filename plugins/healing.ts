import fp from 'fastify-plugin'
import { createCounterMirror } from '../src/healing/counter-mirror.ts'
import { createLostRevocations } from '../src/healing/lost-revocations.ts'
import { createPostgresHealer } from '../src/healing/postgres-healer.ts'
import { createPostgresHistory } from '../src/healing/postgres-history.ts'
import { createKeyRecords } from '../src/keys/key-records.ts'
import type { RedisClient } from '../src/redis/client.ts'

export interface HealingOptions {
  /** Without it nothing outside Postgres knows what Postgres may have lost. */
  redis?: RedisClient | undefined
  /** Tells the installations on one Redis apart. */
  issuer: string
}

/** Puts revocations back into Postgres if it loses its last commits. */
export const healing = fp(
  async (app, { redis, issuer }: HealingOptions) => {
    if (!redis) return
    const { database, events, metrics, log } = app
    const { feed, lifetime } = app.hotState
    const countRegression = metrics.counter(
      'pawl_postgres_went_back_total',
      'Times that Postgres was found to have lost its last commits',
      'found_by',
    )
    const countRestored = metrics.counter(
      'pawl_revocations_restored_total',
      'Revocations that Postgres had lost and that were committed again',
      'kind',
    )
    const history = createPostgresHistory(database)
    const healer = createPostgresHealer({
      history,
      mirror: createCounterMirror(redis, `${await history.databaseId()}:${issuer}`),
      lost: createLostRevocations(database, createKeyRecords(database)),
      feed,
      lifetime,
      onWentBack(restored, foundBy) {
        countRegression(foundBy)
        for (const [kind, count] of Object.entries(restored)) countRestored(kind, count)
        events.record({ type: 'postgres_went_back', detail: restored })
      },
      log,
    })
    await healer.start()
    app.addHook('onClose', healer.stop)
  },
  { name: 'pawl-healing', dependencies: ['pawl-hot-state'] },
)
