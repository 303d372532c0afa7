import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { findPostgres, type PostgresBinaries, postgresIn } from './binaries.ts'
import { createFolder, leash, type User } from './leash.ts'
import { type Service, startService } from './service.ts'

/**
 * These settings trade safety against a crash of the whole machine for speed. synchronous_commit
 * stays on. Without it, a SIGKILL of the server would lose acknowledged commits, and fault tests
 * could not tell that loss from a bug.
 */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  'shared_buffers=32MB',
  'jit=off',
  // A fetched Postgres does not find the time zone files on the system. It knows GMT without them.
  'timezone=GMT',
  'log_timezone=GMT',
  'listen_addresses=127.0.0.1',
]

/** If this process is root, returns another user for Postgres, which refuses to run as root. */
export async function unprivilegedUser(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const passwd = await readFile('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const found = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(passwd)
    if (found) return { uid: Number(found[1]), gid: Number(found[2]) }
  }
  throw new Error(
    'Postgres does not run as root, and there is no user postgres or nobody to run it as',
  )
}

/**
 * Returns binaries that the user can run. Copies fetched binaries if the checkout is in a folder
 * that only root can enter.
 */
async function reachable(found: PostgresBinaries, dir: string, user?: User) {
  if (!user || !found.root) return found
  const reached = spawnSync(found.postgres, ['--version'], { cwd: dir, env: found.env, ...user })
  if (reached.status === 0) return found
  const copy = join(dir, 'software')
  await cp(found.root, copy, { recursive: true, verbatimSymlinks: true })
  // The user that runs the server also removes its folder.
  spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, copy])
  return (await postgresIn(copy)) ?? found
}

export async function ask(url: string) {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {}, fetch_types: false })
  try {
    await sql`select 1`
  } finally {
    await sql.end({ timeout: 0 })
  }
}

export interface PostgresOptions {
  port?: number
  /** Creates files in the folder of the server. Returns settings that mention them. */
  prepare?(folder: string): string[]
}

/**
 * Starts a private Postgres on a loopback port. Its data survives a restart, even after a SIGKILL.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<Service> {
  const found = await findPostgres()
  const user = await unprivilegedUser()

  async function launch(port: number, earlier?: string) {
    const dir = earlier ?? (await createFolder(user))
    const data = join(dir, 'data')
    const { initdb, postgres, env } = await reachable(found, dir, user)
    if (!existsSync(data)) {
      const flags = [
        '--no-sync',
        '--locale=C',
        '--encoding=UTF8',
        '-A',
        'trust',
        '-U',
        'pawl',
        '-D',
        data,
      ]
      const initialisation = await leash(initdb, flags, { dir, env, user })
      const failed = (await initialisation.exited) !== 0
      const log = await initialisation.log()
      await initialisation.stop({ keep: !failed })
      if (failed) throw new Error(`initdb failed:\n${log}`)
    }
    const further = options.prepare?.(dir) ?? []
    if (user) spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, dir])
    const flags = [
      '-D',
      data,
      '-p',
      String(port),
      '-k',
      dir,
      ...[...SETTINGS, ...further].flatMap((setting) => ['-c', setting]),
    ]
    // SIGINT makes Postgres shut down without waiting for its clients to disconnect.
    return leash(postgres, flags, { dir, env, user, signal: 'SIGINT' })
  }

  return startService(
    { name: 'Postgres', url: (port) => `postgres://pawl@127.0.0.1:${port}/postgres`, launch, ask },
    options.port,
  )
}
