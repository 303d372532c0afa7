import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { snapshotName, writeSnapshot } from '../../../src/db/embedded-snapshot.ts'
import { CACHE } from './debian.ts'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** A replacement of `text` by `by` in one source file. */
export interface Change {
  file: string
  text: string
  by: string
}

export interface Sources {
  /** The folder of the compiled modules. */
  dist: string
  remove(): Promise<void>
}

const COPIED = [
  'src',
  'plugins',
  'routes',
  'drizzle',
  'playground',
  'scripts',
  'package.json',
  'tsconfig.json',
]
const ENTRIES = ['test/faults/node.ts', 'test/faults/clock.ts']

/**
 * Copies and compiles the sources, together with the modules in `entries`. Processes start faster
 * from the result, and edits in the checkout do not affect them. `changes` break a guarantee on
 * purpose. Rejects if the text of a change does not occur exactly once in its file.
 */
export async function prepareSources(
  changes: readonly Change[] = [],
  entries: readonly string[] = ENTRIES,
): Promise<Sources> {
  const root = await mkdtemp(join(tmpdir(), 'pawl-faults-'))
  const remove = () => rm(root, { recursive: true, force: true })
  try {
    for (const name of [...COPIED, ...entries])
      await cp(join(ROOT, name), join(root, name), { recursive: true })
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    for (const change of changes) await apply(root, change)
    await compile(root, entries)
  } catch (error) {
    await remove()
    throw error
  }
  return { dist: join(root, 'dist'), remove }
}

/**
 * Adds the database snapshot that the build creates for the first start of the embedded default.
 * Other runs reuse it from the cache.
 */
export async function addSnapshot({ dist }: Sources): Promise<void> {
  const name = snapshotName()
  const kept = join(CACHE, name)
  if (!existsSync(kept)) {
    await mkdir(CACHE, { recursive: true })
    await writeSnapshot(kept)
  }
  await cp(kept, join(dist, name))
}

async function apply(root: string, { file, text, by }: Change): Promise<void> {
  const parts = (await readFile(join(root, file), 'utf8')).split(text)
  if (parts.length !== 2)
    throw new Error(`${file} contains this text ${parts.length - 1} times, not once: ${text}`)
  await writeFile(join(root, file), parts.join(by))
}

/** Compiles without type checks, because code that is broken on purpose may not pass them. */
async function compile(root: string, entries: readonly string[]): Promise<void> {
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    rootDir: '.',
    outDir: 'dist',
    allowImportingTsExtensions: false,
  }
  const include = ['src', 'plugins', 'routes', ...entries]
  await writeFile(
    join(root, 'tsconfig.build.json'),
    JSON.stringify({ extends: './tsconfig.json', compilerOptions, include }),
  )
  await mkdir(join(root, 'dist'))
  run(root, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json')
  run(root, 'scripts/copy-assets.js')
}

function run(cwd: string, script: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${script} failed:\n${stdout}${stderr}`)
}
