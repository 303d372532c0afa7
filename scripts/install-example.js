// Installs examples/spa as a team outside would: with the package as it is packed for publishing. Where neither has changed
// since the last time, only the page is built anew.
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

/** What it prints is of interest where it fails. */
function npm(cwd, ...args) {
  try {
    execFileSync('npm', [...args, '--loglevel=error'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch ({ stdout, stderr }) {
    process.stderr.write(`npm ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`)
    process.exit(1)
  }
}

/** Of all that the package and its installation are made from. */
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

/** Out of a copy: whoever builds in this folder meanwhile does not get in between. */
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

const wanted = fingerprint()
if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
  process.stderr.write('Packing Pawl and installing examples/spa...\n')
  pack(join(example, 'pawl.tgz'))
  // Or npm takes the package for the one that it knows by this version.
  for (const known of [mark, join(modules, '.package-lock.json'), join(modules, 'pawl')])
    rmSync(known, { recursive: true, force: true })
  npm(example, 'install', '--prefer-offline')
  writeFileSync(mark, wanted)
}
npm(example, 'run', 'build')
