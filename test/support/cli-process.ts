import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import postgres from 'postgres'
import { cleanUp } from './clean-up.ts'
import { type Env, required } from './environment.ts'
import { cloneDatabase } from './services/template.ts'

export const CLI = [join(required('TEST_DIST'), 'src/cli.js')]

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs a command to its end. It reads `input` and then the end of the pipe. */
export async function runCli(args: string[], env: Env = {}, input = ''): Promise<CliResult> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [...CLI, ...args], { env: { PATH, HOME, ...env } })
  // A command that reads nothing may have exited before the pipe is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { code, stdout, stderr }
}

/** Returns all that a command on the database may need: no secrets and no Redis. */
export async function databaseEnvironment(t: TestContext): Promise<Env & { DATABASE_URL: string }> {
  const database = await cloneDatabase()
  cleanUp(t, () => database.drop())
  return { DATABASE_URL: database.url, ARGON2_MEMORY_KIB: '1024' }
}

export async function onDatabase<T>(
  url: string,
  work: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
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

export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pawl-cli-'))
  cleanUp(t, () => rm(path, { recursive: true, force: true }))
  return path
}

/** Creates a file with this content, as JSON unless it is text. Returns its path. */
export async function file(t: TestContext, content: unknown): Promise<string> {
  const path = join(await folder(t), 'users.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
