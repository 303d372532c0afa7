import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { loadDatabaseConfig } from '../config/config.ts'
import type { Seed } from '../schemas/credentials.ts'
import { createUserRecords, type User, type UserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import type { Terminal } from './terminal.ts'

/** Users that are read in one statement. */
const PAGE_SIZE = 1_000

export interface ExportOptions {
  file?: string
}

/**
 * Writes all users with their password hashes as `pawl seed --file` reads them, to standard output
 * or to a new file that only its owner can read.
 */
export async function exportUsers(terminal: Terminal, { file }: ExportOptions): Promise<void> {
  let count = 0
  await withDatabase(loadDatabaseConfig(terminal.env), async (database) => {
    const lines = Readable.from(
      formatUsers(createUserRecords(database), () => {
        count += 1
      }),
    )
    if (file === undefined) await pipeline(lines, terminal.stdout, { end: false })
    else await writeNewFile(file, lines)
  })
  terminal.stderr.write(`Users exported: ${count}\n`)
}

async function writeNewFile(path: string, lines: Readable): Promise<void> {
  const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      `${path} cannot be created: ${error.code === 'EEXIST' ? 'it exists' : error.code}`,
    )
  })
  try {
    await pipeline(lines, handle.createWriteStream())
  } catch (error) {
    // Half of the users would look like all of them.
    await rm(path, { force: true })
    throw error
  }
}

async function* formatUsers(
  records: Pick<UserRecords, 'findByPrefix'>,
  onUser: () => void,
): AsyncGenerator<string> {
  let position = { email: '', id: '' }
  let separator = '['
  for (;;) {
    const users = await records.findByPrefix('', position, PAGE_SIZE)
    for (const user of users) {
      // The seeding command would make an account of it that its password opens.
      if (user.awaitsVerification) continue
      yield `${separator}\n  ${JSON.stringify(toSeed(user))}`
      separator = ','
      onUser()
    }
    const last = users.at(-1)
    if (!last) break
    position = { email: last.email?.toLowerCase() ?? '', id: last.id }
  }
  yield separator === '[' ? '[]\n' : '\n]\n'
}

function toSeed({ id, email, emailVerified, passwordHash, roles, status }: User): Seed {
  return {
    id,
    ...(email && { email, emailVerified }),
    ...(passwordHash && { passwordHash }),
    roles,
    status,
  }
}
