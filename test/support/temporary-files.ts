import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from './clean-up.ts'

/** Creates a folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pawl-test-'))
  cleanUp(t, () => rm(path, { recursive: true, force: true }))
  return path
}

/** Creates a file with this content, as JSON unless it is text. Returns its path. */
export async function temporaryFile(t: TestContext, content: unknown): Promise<string> {
  const path = join(await temporaryFolder(t), 'users.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
