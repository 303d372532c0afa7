import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { leash } from './leash.ts'

export const CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/pawl-test-services', import.meta.url),
)

/**
 * Arguments: folder, package, the system's list of installed packages.
 * Private lists and a private archive, so that nothing of the system is written and root is not needed.
 * `install --download-only` also brings the dependencies that the system lacks. A failed update is no failure
 * yet: one source of many may be down. Left out: a C library, which would break every process if newer than
 * the system's loader, and LLVM, half the size of Postgres for a compiler that the tests turn off.
 */
const SCRIPT = `
set -e
dir=$1 package=$2 status=$3
mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/root"
apt() {
  apt-get -q -y \
    -o Dir::State="$dir/state" -o Dir::State::status="$status" -o Dir::Cache="$dir/cache" \
    -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Acquire::Languages=none \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"
}
apt update || true
apt --download-only --no-install-recommends install "$package"
for deb in "$dir"/cache/archives/*.deb; do
  case $deb in */libc6_* | */libllvm*) ;; *) dpkg -x "$deb" "$dir/root" ;; esac
done
chmod 755 "$dir/root"
`

/** Packages differ between distributions, and one node_modules may be mounted into several. */
async function system() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const field = (name: string) =>
    new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? 'unknown'
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`
}

/**
 * Downloads a Debian or Ubuntu package, with what it needs beyond the installed packages, and unpacks it into
 * a folder of ours, once: later calls find it there. Installs nothing.
 */
export async function fetchDebian(name: string, status = '/var/lib/dpkg/status'): Promise<string> {
  const target = join(CACHE, `${name}-${await system()}`)
  if (existsSync(target)) return target
  process.stderr.write(`Fetching ${name} for the tests with apt-get (nothing is installed)...\n`)
  await mkdir(CACHE, { recursive: true })
  const dir = await mkdtemp(join(CACHE, '.fetch-'))
  const fetching = await leash('sh', ['-c', SCRIPT, 'fetch', dir, name, status], {
    dir,
    env: { LC_ALL: 'C' },
  })
  try {
    if ((await fetching.exited) !== 0)
      throw new Error(`apt-get could not fetch it:\n${await fetching.log()}`)
    await rename(join(dir, 'root'), target).catch((error) => {
      // Another run was faster.
      if (!existsSync(target)) throw error
    })
  } finally {
    await fetching.stop()
  }
  return target
}
