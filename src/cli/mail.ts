import { type Command, InvalidArgumentError } from 'commander'
import { parseId } from '../common/id.ts'
import { loadDatabaseConfig } from '../config/config.ts'
import { createMails } from '../mail/dead-mails.ts'
import { json, limit, yes } from './arguments.ts'
import { withDatabase } from './database.ts'
import { confirm } from './prompts.ts'
import { printJson, printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

interface ListOptions {
  dead?: true
  limit: number
  json?: true
}

interface RetryOptions {
  all?: true
  yes?: true
  json?: true
}

type Mails = ReturnType<typeof createMails>

/** Adds `pawl mail …`. */
export function addMail(program: Command, terminal: Terminal): void {
  const mail = program.command('mail').description('list and retry mails that were not sent')
  mail
    .command('list')
    .description('list the mails that were not sent, in the order in which they are sent')
    .option('--dead', 'only the mails that were given up')
    .addOption(limit())
    .addOption(json())
    .action((options: ListOptions) =>
      withMails(terminal, (mails) => list(terminal, mails, options)),
    )
  mail
    .command('retry')
    .description('let the running servers retry mails that were given up')
    .argument('[mail...]', 'its id in the list', collectId)
    .option('--all', 'all mails that were given up')
    .addOption(yes())
    .addOption(json())
    .action((ids: string[] = [], options: RetryOptions, command: Command) => {
      if (ids.length > 0 === Boolean(options.all))
        command.error('error: name either mails (by id) or --all')
      return withMails(terminal, (mails) => retry(terminal, mails, ids, options))
    })
}

function withMails(terminal: Terminal, work: (mails: Mails) => Promise<void>): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  return withDatabase(config, (database) => work(createMails(database)))
}

async function list(terminal: Terminal, mails: Mails, options: ListOptions): Promise<void> {
  const found = await mails.list(options.dead ?? false, options.limit)
  if (options.json) return printJson(terminal, { mails: found })
  const rows = found.map(({ id, purpose, userId, attempts, lastError, deadAt }) => [
    id,
    purpose,
    userId,
    deadAt ? 'dead' : attempts > 0 ? 'trying' : 'waiting',
    String(attempts),
    lastError ?? '-',
  ])
  const heading = ['ID', 'PURPOSE', 'USER', 'STATE', 'ATTEMPTS', 'LAST ERROR']
  printTable(terminal, { heading, rows, none: 'There are no such mails.', next: undefined })
}

async function retry(
  terminal: Terminal,
  mails: Mails,
  ids: readonly string[],
  options: RetryOptions,
): Promise<void> {
  for (const id of ids)
    if (!(await mails.isDead(id))) throw new Error(`No dead mail is ${id}. Nothing was done.`)
  if (!options.yes) await confirm(terminal, 'The mails will be sent again, for up to 24 hours.')
  const retried = await mails.retry(options.all ? undefined : ids)
  if (options.json) return printJson(terminal, { retried })
  terminal.stdout.write(`Mails to be sent again: ${retried.length}.\n`)
}

function collectId(text: string, earlier: string[] = []): string[] {
  const id = parseId(text)
  if (id) return [...earlier, id]
  throw new InvalidArgumentError('It must be the id of a mail in the list.')
}
