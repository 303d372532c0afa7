import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { pack, unpack } from './folder-pack.ts'
import { migrationsFolder } from './migrations-folder.ts'

/** Where the build puts it: beside `src`. */
const FOLDER = fileURLToPath(new URL('../..', import.meta.url))

/** Another one whenever `makeDatabase` or the packing changes. */
const RECIPE = '1'

/** Says what it was made with: the version of Postgres, the migrations, and how. */
export function snapshotName(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const { version } = JSON.parse(readFileSync(join(entry, '../../package.json'), 'utf8'))
  const digest = createHash('sha256').update(RECIPE)
  for (const { hash } of readMigrationFiles({ migrationsFolder })) digest.update(hash)
  return `embedded-${version}-${digest.digest('hex').slice(0, 8)}.pack.gz`
}

/**
 * Makes `dataDir` a migrated, empty database, which takes a fraction of the time that it takes to make one. Makes nothing
 * where there is no snapshot.
 */
export async function unpackSnapshot(dataDir: string): Promise<void> {
  const packed = await readFile(join(FOLDER, snapshotName()))
    .then(promisify(gunzip))
    // It is not there, or damaged.
    .catch(() => undefined)
  if (packed) unpack(packed, dataDir)
}

/** Makes it. Whoever dies over that, or does the same at once, leaves no half of it under that name. */
export async function writeSnapshot(file: string): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pawl-snapshot-'))
  try {
    await makeDatabase(dataDir)
    const unfinished = `${file}.${process.pid}`
    await writeFile(unfinished, await promisify(gzip)(pack(dataDir), { level: 9 }))
    await rename(unfinished, file)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}

async function makeDatabase(dataDir: string): Promise<void> {
  const client = await PGlite.create(dataDir)
  try {
    await migrate(drizzle(client), { migrationsFolder })
    // Two thirds of all files, and of use only to who wants another database.
    await client.exec('update pg_database set datistemplate = false where datistemplate')
    for (const name of ['template0', 'template1']) await client.exec(`drop database ${name}`)
  } finally {
    // Only a database that was shut down needs no recovery when it is opened.
    await client.close()
  }
}
