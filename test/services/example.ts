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
    await promisify(execFile)(process.execPath, [script], { signal })
    return ''
  } catch (error) {
    return `examples/spa cannot be installed: ${(error as { stderr?: string }).stderr}`
  }
}
