import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { findPostgres, type PostgresBinaries, postgresIn } from './binaries.ts'
import { createFolder, leash, type User } from './leash.ts'
import { type Service, startService } from './service.ts'

/**
 * Speed at the price of what only a crash of the whole machine can cost. Not synchronous_commit=off: a
 * SIGKILL of the server would then lose acknowledged commits, which tests of faults could not tell from a
 * bug.
 */
const SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'max_connections=200',
  'shared_buffers=32MB',
  'jit=off',
  // A fetched Postgres looks for time zones where the system has none; this one it knows by itself.
  'timezone=GMT',
  'log_timezone=GMT',
  'listen_addresses=127.0.0.1',
]

/** Postgres refuses to run as root. */
async function unprivilegedUser(): Promise<User | undefined> {
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

/** The checkout may be in a folder that only root can enter, and the fetched binaries with it. */
async function reachable(found: PostgresBinaries, dir: string, user?: User) {
  if (!user || !found.root) return found
  const reached = spawnSync(found.postgres, ['--version'], { cwd: dir, env: found.env, ...user })
  if (reached.status === 0) return found
  const copy = join(dir, 'software')
  await cp(found.root, copy, { recursive: true, verbatimSymlinks: true })
  // Whoever runs the server also removes its folder.
  spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, copy])
  return (await postgresIn(copy)) ?? found
}

async function ask(url: string) {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {}, fetch_types: false })
  try {
    await sql`select 1`
  } finally {
    await sql.end({ timeout: 0 })
  }
}

/** A private Postgres on a loopback port. Its data survives a restart, also one after a SIGKILL. */
export async function startPostgres(options: { port?: number } = {}): Promise<Service> {
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
    const flags = [
      '-D',
      data,
      '-p',
      String(port),
      '-k',
      dir,
      ...SETTINGS.flatMap((setting) => ['-c', setting]),
    ]
    // SIGINT: shut down without waiting for clients to leave.
    return leash(postgres, flags, { dir, env, user, signal: 'SIGINT' })
  }

  return startService(
    { name: 'Postgres', url: (port) => `postgres://pawl@127.0.0.1:${port}/postgres`, launch, ask },
    options.port,
  )
}
