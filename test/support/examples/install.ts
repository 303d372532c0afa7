import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../services/sources.ts'

/** Returns the names of all examples. */
export function listExamples(): string[] {
  const folder = join(ROOT, 'examples')
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'package.json')))
}

/** Returns the examples that the test files are about. Their folders have the examples' names. */
export function examplesOf(files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    const [, name] = file.split(sep).join('/').split('test/examples/')
    return name ? [name.split('/')[0] ?? ''] : []
  })
  return [...new Set(names)]
}

/**
 * Packs Pawl and installs the examples with it, if that is not done already. Returns the reason for
 * each whose installation failed, for example without a network, and otherwise an empty string.
 */
export async function installExamples(
  names: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const reasons: Record<string, string> = {}
  for (const name of names) reasons[name] = await installExample(name, signal)
  return reasons
}

async function installExample(name: string, signal: AbortSignal): Promise<string> {
  const script = join(ROOT, 'scripts/install-example.js')
  try {
    const installing = promisify(execFile)(process.execPath, [script, name], { signal })
    // The script prints a line if the installation takes a while.
    installing.child.stderr?.pipe(process.stderr)
    await installing
    return ''
  } catch (error) {
    return `examples/${name} cannot be installed: ${(error as { stderr?: string }).stderr}`
  }
}
