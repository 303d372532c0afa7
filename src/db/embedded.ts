import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { replacePrivateFile, requirePrivateFolder } from '../common/private-files.ts'
import { type Database, query } from './database.ts'
import { lockDirectory } from './directory-lock.ts'
import { createDurableFiles, DURABLE_PARAMS } from './durable-files.ts'
import { unpackSnapshot } from './embedded-snapshot.ts'
import { applyMigrations } from './migrations.ts'
import * as schema from './schema.ts'

/**
 * Roughly the bytes of WebAssembly that a function executes before V8 optimises it. The default of
 * Node 20 is a tenth of this: during the whole start it keeps the other threads busy with functions
 * that are hardly called again.
 */
const TIERING_BUDGET = 20_000_000

/**
 * By default Postgres reserves memory for four times these buffers and for a hundred connections.
 * PGlite has only one connection.
 */
const START_PARAMS = [
  // `-F` turns off the wait for the disk.
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  ...DURABLE_PARAMS,
  '-c',
  'shared_buffers=32MB',
  '-c',
  'max_connections=5',
]

/**
 * Runs Postgres in this process, with its data in `directory`. Creates and migrates it on the first
 * use. Rejects if another process has the directory open: PGlite itself takes no lock, and two
 * processes that write would lose acknowledged data.
 */
export async function openEmbedded(directory: string): Promise<Database> {
  await requirePrivateFolder(directory)
  const unlock = await lockDirectory(directory)
  try {
    const client = await openData(directory)
    const orm = drizzle(client, { schema })
    try {
      await client.transaction((tx) => applyMigrations(async (text) => (await tx.query(text)).rows))
    } catch (error) {
      await client.close()
      throw error
    }
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

/**
 * Opens the data, or creates it. Data whose creation was interrupted is created again, because
 * nothing in it was acknowledged.
 */
async function openData(directory: string): Promise<PGlite> {
  const dataDir = join(directory, 'postgres')
  const unfinished = join(directory, 'unfinished')
  if (existsSync(dataDir) && !existsSync(unfinished)) return start(dataDir)
  await replacePrivateFile(unfinished, '')
  await rm(dataDir, { recursive: true, force: true })
  await unpackSnapshot(dataDir)
  // Without a snapshot, PGlite would create the folder with the umask of the process.
  await requirePrivateFolder(dataDir)
  const client = await start(dataDir)
  await rm(unfinished)
  return client
}

function start(dataDir: string): Promise<PGlite> {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`)
  return PGlite.create({ fs: createDurableFiles(dataDir), startParams: START_PARAMS })
}
