import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { leash } from './leash.ts'

export const CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/pawl-test-services', import.meta.url),
)

/**
 * Arguments: the folder, the package, and the system's list of installed packages.
 *
 * The script uses private package lists and a private archive. It therefore writes nothing of the
 * system and needs no root. `install --download-only` also fetches the dependencies that the system
 * lacks. A failed update does not fail the script, because only one of many package sources may be
 * unavailable.
 *
 * Two kinds of packages are not unpacked. A C library that is newer than the system's loader would
 * break every process. LLVM is half the size of Postgres, and the tests turn its compiler off.
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

/**
 * Identifies the system, because packages differ between distributions, and several systems may
 * share one node_modules.
 */
async function system() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const field = (name: string) =>
    new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? 'unknown'
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`
}

/**
 * Downloads a Debian or Ubuntu package, with the dependencies that are not installed, and unpacks
 * it into a cache folder. Later calls return the same folder. Installs nothing.
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
      throw new Error(`apt-get could not fetch ${name}:\n${await fetching.log()}`)
    await rename(join(dir, 'root'), target).catch((error) => {
      // Another run has fetched the same package in the meantime.
      if (!existsSync(target)) throw error
    })
  } finally {
    await fetching.stop()
  }
  return target
}
