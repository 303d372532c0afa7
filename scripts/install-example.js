// Installs an application of examples/ as another team would: with the package as it is packed for
// publishing. If nothing has changed since the last run, this only builds the application.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
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
/** All examples use one package, so that a change of the sources is packed once. */
const packages = join(root, 'examples/dist')
const tarball = join(packages, 'pawl.tgz')

/** Runs npm, and prints its output only if it fails. */
function npm(cwd, ...args) {
  try {
    execFileSync('npm', [...args, '--loglevel=error'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch ({ stdout, stderr }) {
    process.stderr.write(`npm ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`)
    process.exit(1)
  }
}

/** Returns a digest of the files' names and contents. */
function digestOf(files) {
  const hash = createHash('sha256')
  for (const file of files) {
    if (statSync(join(root, file)).isDirectory()) continue
    hash.update(file).update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

/** Returns all files that the package is made from. */
function sources() {
  const inFolders = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  )
  return [...inFolders.sort(), ...FILES]
}

/** Does the work, unless the mark says that it has been done for this digest. */
function once(mark, digest, work) {
  if (existsSync(mark) && readFileSync(mark, 'utf8') === digest) return
  rmSync(mark, { force: true })
  work()
  writeFileSync(mark, digest)
}

/** Packs a copy of the sources, so that a build in this folder at the same time does no harm. */
function pack() {
  process.stderr.write('Packing Pawl...\n')
  const copy = mkdtempSync(join(tmpdir(), 'pawl-pack-'))
  try {
    for (const name of [...FOLDERS, ...FILES])
      cpSync(join(root, name), join(copy, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    npm(copy, 'pack')
    const [packed] = readdirSync(copy).filter((name) => name.endsWith('.tgz'))
    mkdirSync(packages, { recursive: true })
    // In two steps, because another command may be reading the old package.
    cpSync(join(copy, packed), `${tarball}.${process.pid}`)
    renameSync(`${tarball}.${process.pid}`, tarball)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function install(name) {
  process.stderr.write(`Installing examples/${name}...\n`)
  const modules = join(root, 'examples', name, 'node_modules')
  // Otherwise npm keeps the installed package, because the version is the same.
  for (const stale of ['.package-lock.json', 'pawl'])
    rmSync(join(modules, stale), { recursive: true, force: true })
  npm(join(modules, '..'), 'install', '--prefer-offline')
}

const [name = ''] = process.argv.slice(2)
const example = join(root, 'examples', name)
if (!/^[a-z-]+$/.test(name) || !existsSync(join(example, 'package.json'))) {
  process.stderr.write(`There is no example '${name}'.\n`)
  process.exit(1)
}
const packed = digestOf(sources())
once(join(packages, '.packed-from'), packed, pack)
const manifest = digestOf([`examples/${name}/package.json`])
once(join(example, 'node_modules/.installed-from'), `${packed} ${manifest}`, () => install(name))
npm(example, 'run', 'build', '--if-present')
