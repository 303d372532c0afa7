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
import { pack, unpack } from './folder-pack.ts'
import { applyMigrations, readMigrations } from './migrations.ts'

/** The folder in which the build puts the snapshot: that of `src`. */
const FOLDER = fileURLToPath(new URL('../..', import.meta.url))

/** Change this when `createDatabase` or the packing changes, so that old snapshots are not used. */
const RECIPE = '2'

/**
 * Returns the file name of the snapshot. It contains everything that the snapshot depends on: the
 * version of Postgres, the migrations and the recipe.
 */
export function snapshotName(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const { version } = JSON.parse(readFileSync(join(entry, '../../package.json'), 'utf8'))
  const digest = createHash('sha256').update(RECIPE)
  for (const { hash } of readMigrations()) digest.update(hash)
  return `embedded-${version}-${digest.digest('hex').slice(0, 8)}.pack.gz`
}

/**
 * Unpacks a migrated, empty database into `dataDir`, which is much faster than creating one. Does
 * nothing if there is no snapshot.
 */
export async function unpackSnapshot(dataDir: string): Promise<void> {
  const packed = await readFile(join(FOLDER, snapshotName()))
    .then(promisify(gunzip))
    // The snapshot is missing or damaged.
    .catch(() => undefined)
  if (packed) unpack(packed, dataDir)
}

/** Creates the snapshot. A process that dies meanwhile leaves no incomplete file of that name. */
export async function writeSnapshot(file: string): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pawl-snapshot-'))
  try {
    await createDatabase(dataDir)
    const incomplete = `${file}.${process.pid}`
    await writeFile(incomplete, await promisify(gzip)(pack(dataDir), { level: 9 }))
    await rename(incomplete, file)
  } finally {
    await rm(dataDir, { recursive: true })
  }
}

async function createDatabase(dataDir: string): Promise<void> {
  const client = await PGlite.create(dataDir)
  try {
    await client.transaction((tx) => applyMigrations(async (text) => (await tx.query(text)).rows))
    // The templates are two thirds of all files, and only `create database` needs them.
    await client.exec('update pg_database set datistemplate = false where datistemplate')
    for (const name of ['template0', 'template1']) await client.exec(`drop database ${name}`)
  } finally {
    // A database that was not closed needs recovery when it is opened.
    await client.close()
  }
}
