import type { Command } from 'commander'
import { eq } from 'drizzle-orm'
import { loadDatabaseConfig } from '../config/config.ts'
import { epochs } from '../db/schema.ts'
import { createRevocationRecords } from '../revocation/revocation-records.ts'
import { json, yes } from './arguments.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import { isPublished } from './publications.ts'
import { adminAction, record } from './record.ts'
import { report } from './report.ts'
import type { Terminal } from './terminal.ts'

interface Options {
  yes?: true
  json?: true
}

const CONSEQUENCE =
  'Every token issued so far dies: all users have to log in again on every device.'

/** `pawl revoke-all`. */
export function addRevokeAll(program: Command, terminal: Terminal): void {
  program
    .command('revoke-all')
    .description('end every session of every user, at once')
    .addOption(yes())
    .addOption(json())
    .action((options: Options) => revokeAll(terminal, options))
}

async function revokeAll(terminal: Terminal, options: Options): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  await withDatabase(config, async (database) => {
    const { orm, query } = database
    if (!options.yes) await confirm(terminal, CONSEQUENCE)
    const before = await query(
      orm.transaction(async (tx) => {
        // After the newest session is after all that there are. The clock that sessions are opened by is that of Redis: by
        // one that is ahead of it, the logins of the next minutes would be dead, too.
        const startedAt = await createRevocationRecords({ ...database, orm: tx }).revokeAll(0)
        await record(tx, adminAction('everything_revoked'))
        return new Date(startedAt)
      }),
    )
    const { publishedAt, startedAt } = epochs
    const told = () => orm.select({ publishedAt }).from(epochs).where(eq(startedAt, before))
    const outcome = {
      done: 'Every session has ended.',
      facts: { before },
      isPublished: () => isPublished(database, told()),
    }
    await report(terminal, config, outcome, options.json)
  })
}
