import { randomUUID } from 'node:crypto'
import postgres from 'postgres'

/** Runs `work` with a client of the database at `url`, and closes the client. */
export async function onDatabase<T>(
  url: string,
  work: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connection: { search_path: 'pawl' } })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Inserts administrators who have no password and so cannot log in. */
export function insertAdmins(url: string, ...emails: string[]): Promise<void> {
  return onDatabase(url, async (sql) => {
    for (const email of emails)
      await sql`
        insert into users (id, email, password_hash, roles)
        values (${randomUUID()}, ${email}, 'none', '{admin}')`
  })
}

/** Returns all columns of all users, with the place and the transaction that wrote each row. */
export function userRows(url: string): Promise<Record<string, unknown>[]> {
  return onDatabase(url, async (sql) => [
    ...(await sql`
      select users.*, users.ctid::text as place, users.xmin::text as writer
      from users order by id`),
  ])
}
