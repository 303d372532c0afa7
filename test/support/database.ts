import type { TestContext } from 'node:test'
import postgres from 'postgres'
import { DEFAULT_SCHEMA } from '../../src/db/schema-name.ts'
import { cleanUp } from './clean-up.ts'
import type { Env } from './environment.ts'

/** Returns a client of the database of a server. It closes after the test. */
export function openSql(t: TestContext, env: Env): postgres.Sql {
  const sql = postgres(env.DATABASE_URL ?? '', {
    max: 1,
    onnotice: () => {},
    connection: { search_path: DEFAULT_SCHEMA },
  })
  cleanUp(t, () => sql.end())
  return sql
}
