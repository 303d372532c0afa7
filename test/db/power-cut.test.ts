import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Database, rowsOf } from '../../src/db/database.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { cleanUp } from '../support/clean-up.ts'

function temporaryFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'pawl-power-cut-'))
  cleanUp(t, async () => fs.rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Copies each file of `folder` to `disk` whenever it is synced, so that `disk` has what a power cut
 * would leave of what was written. Returns what ends that.
 */
function recordSyncs(t: TestContext, folder: string, disk: string): () => void {
  const sync = fs.fsyncSync
  const names = new Map<number, string>()
  const scan = () => {
    for (const name of fs.readdirSync(folder, { recursive: true }) as string[])
      names.set(fs.statSync(join(folder, name)).ino, name)
  }
  t.mock.method(fs, 'fsyncSync', (descriptor: number) => {
    sync(descriptor)
    const file = fs.fstatSync(descriptor)
    if (!names.has(file.ino)) scan()
    const name = names.get(file.ino)
    if (name === undefined || !file.isFile()) return
    fs.mkdirSync(dirname(join(disk, name)), { recursive: true })
    fs.copyFileSync(join(folder, name), join(disk, name))
  })
  syncBuiltinESMExports()
  return () => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
}

async function addresses({ orm }: Database): Promise<string[]> {
  const rows = rowsOf<{ email: string }>(
    await orm.execute('select email from pawl.users order by 1'),
  )
  return rows.map(({ email }) => email)
}

test('A power cut loses no commit of the embedded database', async (t) => {
  const [folder, disk] = [temporaryFolder(t), temporaryFolder(t)]
  await (await openEmbedded(folder)).close()
  fs.cpSync(folder, disk, { recursive: true })

  const cutPower = recordSyncs(t, folder, disk)
  const database = await openEmbedded(folder)
  cleanUp(t, database.close)
  const expected = Array.from({ length: 12 }, (_, i) => `user${String(i).padStart(2, '0')}@x.org`)
  for (const email of expected) {
    await database.orm.execute(
      `insert into pawl.users (id, email, password_hash) values (gen_random_uuid(), '${email}', '')`,
    )
  }

  cutPower()
  const afterwards = await openEmbedded(disk)
  cleanUp(t, afterwards.close)
  assert.deepEqual(await addresses(afterwards), expected)
})
