import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './sources.ts'

/**
 * Packs Pawl and installs examples/spa with it, if that is not done already. Returns the reason if
 * the installation failed, for example without a network, and otherwise an empty string.
 */
export async function installExample(signal: AbortSignal): Promise<string> {
  const script = join(ROOT, 'scripts/install-example.js')
  try {
    const installing = promisify(execFile)(process.execPath, [script], { signal })
    // The script prints a line if the installation takes a while.
    installing.child.stderr?.pipe(process.stderr)
    await installing
    return ''
  } catch (error) {
    return `examples/spa cannot be installed: ${(error as { stderr?: string }).stderr}`
  }
}
