import type { TestContext } from 'node:test'
import postgres from 'postgres'
import { cleanUp } from './clean-up.ts'
import type { Env } from './environment.ts'

/** A look behind the scenes: a client of the database that a server was given. */
export function openSql(t: TestContext, env: Env): postgres.Sql {
  const sql = postgres(env.DATABASE_URL ?? '', { max: 1, onnotice: () => {} })
  cleanUp(t, () => sql.end())
  return sql
}
