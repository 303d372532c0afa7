import { type Command, Option } from 'commander'
import { PURPOSES } from '../keys/key-record.ts'
import { json, yes } from './arguments.ts'
import {
  type RetireOptions,
  type RotateOptions,
  retireKey,
  rotateKeys,
  SHORTEST_PREFIX,
} from './keys-change.ts'
import { type ListOptions, listKeys } from './keys-list.ts'
import type { Terminal } from './terminal.ts'

const HELP = `
A key is next (published, but not signing yet), then current, then retired (it
verifies until its last token has expired), then gone. The running servers make
new keys and follow every change within seconds. These commands need no secret.
Without DATABASE_URL they use the embedded database, while its server is stopped.`

/** Adds `pawl keys …`. */
export function addKeys(program: Command, terminal: Terminal): void {
  const keys = program
    .command('keys')
    .description('manage the keys that sign tokens')
    .addHelpText('after', HELP)
  const purpose = () =>
    new Option('--purpose <purpose>', 'only the keys of these tokens').choices(PURPOSES)
  keys
    .command('list')
    .description('list the keys and their states')
    .addOption(purpose())
    .option('--all', 'include the keys that are gone')
    .addOption(json())
    .action((options: ListOptions) => listKeys(terminal, options))
  keys
    .command('rotate')
    .description('let the next keys sign; all users stay logged in')
    .addOption(purpose())
    .addOption(json())
    .action((options: RotateOptions) => rotateKeys(terminal, options))
  keys
    .command('retire')
    .description('take one key out of use, or with --now refuse every token that it signed')
    // The id of a key may start with a dash.
    .allowUnknownOption()
    .argument('<kid>', `id of the key, or at least its first ${SHORTEST_PREFIX} characters`)
    .option('--now', 'refuse its tokens at once: for a key that has leaked')
    .addOption(yes())
    .addOption(json())
    .action((kid: string, options: RetireOptions) => retireKey(terminal, kid, options))
}
