import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from './sources.ts'

/**
 * Packs Pawl and installs examples/spa with it, unless that is done already. Answers why it could not be done, as without a
 * network, and nothing where it was.
 */
export async function installExample(signal: AbortSignal): Promise<string> {
  const script = join(ROOT, 'scripts/install-example.js')
  try {
    const installing = promisify(execFile)(process.execPath, [script], { signal })
    // It says so where it takes a while.
    installing.child.stderr?.pipe(process.stderr)
    await installing
    return ''
  } catch (error) {
    return `examples/spa cannot be installed: ${(error as { stderr?: string }).stderr}`
  }
}
