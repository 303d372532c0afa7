import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './services/sources.ts'

const COPIED = ['src', 'plugins', 'routes', 'drizzle', 'playground', 'scripts', 'docs']
const FILES = ['package.json', 'tsconfig.json', 'tsconfig.build.json']

export interface Consumer {
  folder: string
  /** The folder of the installed package. */
  installed: string
  /** Runs a script of the checkout's packages, or a module of the consumer, with Node. */
  run(...args: string[]): { status: number | null; output: string }
  remove(): Promise<void>
}

/**
 * Packs a copy of the sources and installs the package in a folder of its own, as an application
 * would. Its dependencies are those of the checkout. The package lacks the database snapshot of a
 * release, which only makes the first start faster.
 */
export async function installPackage(): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-consumer-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const modules = join(folder, 'node_modules')
    const installed = join(modules, 'pawl')
    await linkDependencies(modules)
    await pack(join(folder, 'sources'), folder)
    await mkdir(installed)
    const [tarball = ''] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
    execute(folder, 'tar', '-xzf', tarball, '-C', installed, '--strip-components=1')
    return {
      folder,
      installed,
      remove,
      run(...args) {
        const options = { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } } as const
        const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
        return { status, output: `${stdout}${stderr}` }
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function linkDependencies(modules: string): Promise<void> {
  const packages = join(ROOT, 'node_modules')
  await mkdir(modules, { recursive: true })
  const names = (await readdir(packages)).filter((name) => !name.startsWith('.'))
  await Promise.all(names.map((name) => symlink(join(packages, name), join(modules, name))))
}

async function pack(sources: string, destination: string): Promise<void> {
  await mkdir(sources)
  for (const name of [...COPIED, ...FILES])
    await cp(join(ROOT, name), join(sources, name), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(sources, 'node_modules'))
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  execute(sources, process.execPath, tsc, '-p', 'tsconfig.build.json')
  execute(sources, process.execPath, 'scripts/copy-assets.js')
  execute(sources, 'npm', 'pack', '--ignore-scripts', '--pack-destination', destination)
}

function execute(cwd: string, command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
}
