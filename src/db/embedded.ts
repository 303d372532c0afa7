import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { createQuery, type Database } from './database.ts'
import { lockDirectory } from './directory-lock.ts'
import { unpackSnapshot } from './embedded-snapshot.ts'
import { migrationsFolder } from './migrations-folder.ts'
import * as schema from './schema.ts'

/**
 * Bytes of WebAssembly, about, that a function runs through before V8 optimises it. That of Node 20 is a tenth: all through
 * the start, its other threads are busy with functions that are hardly called again.
 */
const TIERING_BUDGET = 20_000_000

/** Postgres prepares memory at the start for four times these buffers, and for a hundred connections: PGlite has one. */
const START_PARAMS = [
  ...PGlite.defaultStartParams,
  '-c',
  'shared_buffers=32MB',
  '-c',
  'max_connections=5',
]

/**
 * Postgres in this process, its data in `directory`; made and migrated on first use. Rejects where another process has
 * the folder open: PGlite takes no lock of its own, and two writers lose acknowledged data.
 */
export async function openEmbedded(directory: string): Promise<Database> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const unlock = await lockDirectory(directory)
  try {
    const client = await openFolder(directory)
    const orm = drizzle(client, { schema })
    try {
      await migrate(orm, { migrationsFolder })
    } catch (error) {
      await client.close()
      throw error
    }
    const query = createQuery()
    return {
      orm,
      query,
      ping: async () => void (await query(orm.execute('select 1'))),
      close: async () => {
        try {
          await client.close()
        } finally {
          await unlock()
        }
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** A folder that a process died over before it was whole is made anew: nothing was acknowledged that is in it. */
async function openFolder(directory: string): Promise<PGlite> {
  const dataDir = join(directory, 'postgres')
  const unfinished = join(directory, 'unfinished')
  if (existsSync(dataDir) && !existsSync(unfinished)) return start(dataDir)
  await writeFile(unfinished, '')
  await rm(dataDir, { recursive: true, force: true })
  await unpackSnapshot(dataDir)
  const client = await start(dataDir)
  await rm(unfinished)
  return client
}

function start(dataDir: string): Promise<PGlite> {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`)
  return PGlite.create({ dataDir, startParams: START_PARAMS })
}
