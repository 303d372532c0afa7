import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fetchDebian } from './debian.ts'

export interface Binary {
  command: string
  /** What the command needs in its environment to run from where it lies. */
  env: NodeJS.ProcessEnv
}

export interface PostgresBinaries {
  initdb: string
  postgres: string
  env: NodeJS.ProcessEnv
  /** Set for a fetched Postgres: the folder that stands for `/`. */
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

/** Only fetched packages bring libraries of their own; a system's are found by its own loader. */
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

/** The Postgres of a root folder (`/`, or the one of a fetched package), the newest if it has several. */
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
  // Both or none: a client package brings a part of them.
  return (await isExecutable(initdb)) && (await isExecutable(postgres))
    ? { initdb, postgres, env: {} }
    : undefined
}

/** A Redis (or Valkey) server: the machine's, else one fetched for these tests. */
export async function findRedis(): Promise<Binary> {
  const command = (await onPath('redis-server')) ?? (await onPath('valkey-server'))
  if (command) return { command, env: {} }
  const root = await debianPackage('redis-server')
  const fetched = root && join(root, 'usr/bin/redis-server')
  if (fetched && (await isExecutable(fetched)))
    return { command: fetched, env: await libraries(root) }
  throw new Error('no redis-server or valkey-server on PATH')
}

/** A Postgres server: the machine's, else one fetched for these tests. */
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
