// Installs examples/spa as another team would: with the package as it is packed for publishing. If
// neither has changed since the last run, this only rebuilds the page.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDERS = ['src', 'plugins', 'routes', 'drizzle', 'playground', 'scripts']
const FILES = ['package.json', 'tsconfig.json', 'tsconfig.build.json']

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples/spa')
const modules = join(example, 'node_modules')
const mark = join(modules, '.installed-from')

/** Runs npm, and prints its output only if it fails. */
function npm(cwd, ...args) {
  try {
    execFileSync('npm', [...args, '--loglevel=error'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch ({ stdout, stderr }) {
    process.stderr.write(`npm ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`)
    process.exit(1)
  }
}

/** Returns a digest of all files that the package and its installation are made from. */
function fingerprint() {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  )
  const files = [...inFolders.sort(), ...FILES, 'examples/spa/package.json']
  const hash = createHash('sha256')
  for (const file of files) {
    if (statSync(join(root, file)).isDirectory()) continue
    hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** Packs a copy of the sources, so that a build in this folder at the same time does no harm. */
function pack(tarball) {
  const copy = mkdtempSync(join(tmpdir(), 'pawl-pack-'))
  try {
    for (const name of [...FOLDERS, ...FILES])
      cpSync(join(root, name), join(copy, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    npm(copy, 'pack')
    const [packed] = readdirSync(copy).filter((name) => name.endsWith('.tgz'))
    cpSync(join(copy, packed), tarball)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const current = fingerprint()
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== current) {
  process.stderr.write('Packing Pawl and installing examples/spa...\n')
  pack(join(example, 'pawl.tgz'))
  // Otherwise npm keeps the installed package, because the version is the same.
  for (const stale of [mark, join(modules, '.package-lock.json'), join(modules, 'pawl')])
    rmSync(stale, { recursive: true, force: true })
  npm(example, 'install', '--prefer-offline')
  writeFileSync(mark, current)
}
npm(example, 'run', 'build')
