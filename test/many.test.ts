import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { call } from './calls.ts'
import { openSql } from './database.ts'
import { adminToken } from './events/happenings.ts'
import { build, cleanUp, environment, logIn, me, refresh, signUp, until } from './helper.ts'
import { startNode, status } from './nodes.ts'
import { startRedis } from './services/redis.ts'

/** A server on a Redis of its own, over so many users with a session each, also in the hot state. */
async function populate(t: TestContext, count: number) {
  const redis = await startRedis()
  cleanUp(t, redis.stop)
  const operator = new Redis(redis.url)
  cleanUp(t, async () => operator.disconnect())
  const env = await environment(t, { REDIS_URL: redis.url })
  const sql = openSql(t, env)
  await sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), 'user' || n || '@example.com', 'none' from generate_series(1, ${count}::int) as n`
  await sql`
    insert into sessions (id, user_id, created_at, expires_at, last_seen_at)
    select gen_random_uuid(), id, now() - interval '1 hour', now() + interval '1 day', now() from users`
  await sql`vacuum analyze users`
  await sql`vacuum analyze sessions`
  const app = await build(t, env)
  const users = await sql`select id from users`
  const fill = operator.pipeline()
  for (const { id } of users) fill.hset(`pawl:{${id}}`, 'u', '1')
  await fill.exec()
  return { app, sql, operator, token: await adminToken(app, sql) }
}

/** Rows of users and sessions that have been read or written by all who have disconnected; what is open does not count yet. */
async function rowsTouched(sql: ReturnType<typeof openSql>): Promise<number> {
  const [row] = await sql`
    select sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del)::int as rows
    from pg_stat_user_tables where relname in ('users', 'sessions')`
  return row?.rows
}

async function commandsOf(operator: Redis): Promise<Record<string, number>> {
  const info = await operator.info('commandstats')
  const counted = [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)]
  return Object.fromEntries(counted.map(([, name, calls]) => [name, Number(calls)]))
}
