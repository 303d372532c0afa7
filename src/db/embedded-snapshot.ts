import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import { migrationsFolder } from './migrate.ts'

/** Where the build puts it: beside `src`. */
const FOLDER = fileURLToPath(new URL('../..', import.meta.url))

/** Says what it was made with: the version of Postgres, and the migrations. */
export function snapshotName(): string {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const { version } = JSON.parse(readFileSync(join(entry, '../../package.json'), 'utf8'))
  const digest = createHash('sha256')
  for (const { hash } of readMigrationFiles({ migrationsFolder })) digest.update(hash)
  return `embedded-${version}-${digest.digest('hex').slice(0, 8)}.tar.gz`
}

/** A migrated, empty database, which takes a fraction of the time to unpack that it takes to make. Undefined where there is none. */
export async function readSnapshot(): Promise<Blob | undefined> {
  const bytes = await readFile(join(FOLDER, snapshotName())).catch(() => undefined)
  return bytes && new Blob([bytes], { type: 'application/x-gzip' })
}

/** Makes it. Whoever dies over that, or does the same at once, leaves no half of it under that name. */
export async function writeSnapshot(file: string): Promise<void> {
  const client = await PGlite.create()
  try {
    await migrate(drizzle(client), { migrationsFolder })
    const dump = await client.dumpDataDir('gzip')
    const unfinished = `${file}.${process.pid}`
    await writeFile(unfinished, Buffer.from(await dump.arrayBuffer()))
    await rename(unfinished, file)
  } finally {
    await client.close()
  }
}
