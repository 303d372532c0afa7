import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { migrate } from '../../../src/db/migrate.ts'

export interface TestDatabase {
  name: string
  url: string
  drop(): Promise<void>
}

const BEING_ACCESSED = '55006'

function withDatabase(url: string, name: string) {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function onServer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>) {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false })
  try {
    return await work(sql)
  } finally {
    await sql.end()
  }
}

async function createDatabase(
  server: string,
  prefix: string,
  template?: string,
): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(6).toString('hex')}`
  await onServer(server, async (sql) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (template
          ? sql`CREATE DATABASE ${sql(name)} TEMPLATE ${sql(template)}`
          : sql`CREATE DATABASE ${sql(name)}`)
      } catch (error) {
        const busy = error instanceof postgres.PostgresError && error.code === BEING_ACCESSED
        if (!busy || attempt === 20) throw error
      }
      await delay(50 * attempt)
    }
  })
  return {
    name,
    url: withDatabase(server, name),
    drop: () =>
      onServer(server, async (sql) => {
        await sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`
      }),
  }
}

/** Creates a database without tables. */
export const createEmptyDatabase = (server: string) => createDatabase(server, 'pawl_empty')

/**
 * Creates a migrated database to clone from. Each run uses a name of its own, because several runs
 * may share the server.
 */
export async function createTemplateDatabase(server: string): Promise<TestDatabase> {
  const template = await createDatabase(server, 'pawl_template')
  try {
    await migrate(template.url)
  } catch (error) {
    await template.drop()
    throw error
  }
  return template
}

/**
 * Clones the run's template database on the run's Postgres. `drop` closes all connections to the
 * clone.
 */
export async function cloneDatabase(): Promise<TestDatabase> {
  const { TEST_DATABASE_URL: server, TEST_DATABASE_TEMPLATE: template } = process.env
  if (!server || !template)
    throw new Error('The test runner provides the databases: use npm test -- <part of a name>')
  return createDatabase(server, 'pawl_test', template)
}
