import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fetchDebian } from './debian.ts'

export interface Binary {
  command: string
  /** The environment variables that the command needs to run from its folder. */
  env: NodeJS.ProcessEnv
}

export interface PostgresBinaries {
  initdb: string
  postgres: string
  env: NodeJS.ProcessEnv
  /** The folder that stands for `/`. Only a fetched Postgres has one. */
  root?: string
}

export async function isExecutable(file: string) {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
}

export async function onPath(name: string) {
  for (const folder of pathFolders()) {
    const file = join(folder, name)
    if (await isExecutable(file)) return file
  }
  return undefined
}

async function list(folder: string) {
  return readdir(folder).catch(() => [])
}

/**
 * Returns the library path for a fetched package. An installed program needs none, because the
 * system's loader finds its libraries.
 */
export async function libraries(root: string): Promise<NodeJS.ProcessEnv> {
  const folders: string[] = []
  for (const lib of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const names = await list(lib)
    folders.push(
      ...names.filter((name) => name.includes('-linux-')).map((name) => join(lib, name)),
      lib,
    )
  }
  return { LD_LIBRARY_PATH: folders.join(':') }
}

export async function debianPackage(name: string) {
  const canFetch = (await onPath('apt-get')) && (await onPath('dpkg'))
  return canFetch ? fetchDebian(name) : undefined
}

/**
 * Returns the newest Postgres below a root folder, which is `/` or the folder of a fetched package.
 */
export async function postgresIn(root: string): Promise<PostgresBinaries | undefined> {
  const versions = join(root, 'usr/lib/postgresql')
  const newestFirst = (await list(versions)).sort((a, b) => Number(b) - Number(a))
  for (const version of newestFirst) {
    const found = await postgresFrom(join(versions, version, 'bin'))
    if (found) return root === '/' ? found : { ...found, root, env: await libraries(root) }
  }
  return undefined
}

async function postgresFrom(folder: string): Promise<PostgresBinaries | undefined> {
  const [initdb, postgres] = [join(folder, 'initdb'), join(folder, 'postgres')]
  // Both must exist, because a client package contains only some of the programs.
  return (await isExecutable(initdb)) && (await isExecutable(postgres))
    ? { initdb, postgres, env: {} }
    : undefined
}

/** Finds an installed Redis or Valkey server, or fetches one for these tests. */
export async function findRedis(): Promise<Binary> {
  const command = (await onPath('redis-server')) ?? (await onPath('valkey-server'))
  if (command) return { command, env: {} }
  const root = await debianPackage('redis-server')
  const fetched = root && join(root, 'usr/bin/redis-server')
  if (fetched && (await isExecutable(fetched)))
    return { command: fetched, env: await libraries(root) }
  throw new Error('no redis-server or valkey-server on PATH')
}

/** Finds an installed Postgres server, or fetches one for these tests. */
export async function findPostgres(): Promise<PostgresBinaries> {
  for (const folder of pathFolders()) {
    const found = await postgresFrom(folder)
    if (found) return found
  }
  const installed = await postgresIn('/')
  if (installed) return installed
  const root = await debianPackage('postgresql')
  const fetched = root && (await postgresIn(root))
  if (fetched) return fetched
  throw new Error('no postgres and initdb on PATH or in /usr/lib/postgresql/*/bin')
}
