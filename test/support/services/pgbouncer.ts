import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isExecutable, onPath } from './binaries.ts'
import { createFolder, leash } from './leash.ts'
import { ask, unprivilegedUser } from './postgres.ts'
import { type Service, startService } from './service.ts'

/** Start-up parameters of Pawl that PgBouncer does not know, as the guide lists them. */
const IGNORED = [
  'search_path',
  'IntervalStyle',
  'extra_float_digits',
  'default_transaction_isolation',
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
]

export interface PgBouncerOptions {
  /** The database behind it. */
  url: string
  mode: 'session' | 'transaction'
  /** Connections to the database. */
  size: number
}

/** Starts PgBouncer, or returns undefined if the machine does not have it. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<Service | undefined> {
  const file = (await onPath('pgbouncer')) ?? '/usr/sbin/pgbouncer'
  if (!(await isExecutable(file))) return undefined
  const { hostname, port: serverPort, pathname, username } = new URL(options.url)
  const name = pathname.slice(1)
  const user = await unprivilegedUser()

  async function launch(port: number) {
    const dir = await createFolder(user)
    const settings = [
      '[databases]',
      `${name} = host=${hostname} port=${serverPort} user=${username}`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      `pool_mode = ${options.mode}`,
      `default_pool_size = ${options.size}`,
      `ignore_startup_parameters = ${IGNORED.join(', ')}`,
    ]
    const ini = join(dir, 'pgbouncer.ini')
    await writeFile(ini, settings.join('\n'))
    return leash(file, [ini], { dir, env: {}, user, signal: 'SIGINT' })
  }

  const url = (port: number) => `postgres://${username}@127.0.0.1:${port}/${name}`
  return startService({ name: 'PgBouncer', url, launch, ask })
}
