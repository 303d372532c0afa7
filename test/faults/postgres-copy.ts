import { execFile } from 'node:child_process'
import { chown, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Sql } from 'postgres'
import type { Service } from '../support/services/service.ts'

const run = promisify(execFile)

/**
 * Copies the data of a running Postgres, as a replica has them that receives nothing more. Returns
 * what promotes the copy in place of the original, which is killed and discarded.
 */
export async function copyPostgres(postgres: Service, sql: Sql): Promise<() => Promise<void>> {
  const data = join(postgres.dir, 'data')
  const copy = join(postgres.dir, 'copy')
  const { uid, gid } = await stat(data)
  async function write(name: string, text: string): Promise<void> {
    await writeFile(join(copy, name), text)
    await chown(join(copy, name), uid, gid)
  }

  await rm(copy, { recursive: true, force: true })
  const label = await sql.begin(async (tx) => {
    await tx`select pg_backup_start('copy', true)`
    // A file may vanish while it is copied, which the log of the copy makes up for.
    await run('cp', ['-a', data, copy]).catch(() => {})
    const [stop] = await tx`select labelfile from pg_backup_stop(false)`
    return String(stop?.labelfile)
  })
  await run('cp', ['-a', `${data}/pg_wal/.`, join(copy, 'pg_wal')])
  await rm(join(copy, 'postmaster.pid'), { force: true })
  await write('backup_label', label)
  await write('standby.signal', '')

  return async () => {
    await postgres.crash('SIGKILL')
    await rm(data, { recursive: true, force: true })
    await rename(copy, data)
    await postgres.restart()
    await sql`select pg_promote()`
  }
}
