import type { Command } from 'commander'
import { json, yes } from './arguments.ts'
import { confirm } from './prompts.ts'
import { report } from './report.ts'
import { OPERATOR, withServices } from './services.ts'
import type { Terminal } from './terminal.ts'

interface Options {
  yes?: true
  json?: true
}

const CONSEQUENCE =
  'Every token issued so far will be refused. All users will have to log in again on every device.'

/** Adds `pawl revoke-all`. */
export function addRevokeAll(program: Command, terminal: Terminal): void {
  program
    .command('revoke-all')
    .description('end every session of every user')
    .addOption(yes())
    .addOption(json())
    .action((options: Options) => revokeAll(terminal, options))
}

async function revokeAll(terminal: Terminal, options: Options): Promise<void> {
  await withServices(terminal, async (services) => {
    if (!options.yes) await confirm(terminal, CONSEQUENCE)
    await services.administration.revokeAll(OPERATOR)
    const epoch = services.publications.expected.find((one) => one.kind === 'everything')
    const facts = { before: epoch && new Date(epoch.before) }
    await report(terminal, services, { done: 'Every session has ended.', facts }, options.json)
  })
}
