#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { addEvents } from './cli/events.ts'
import { describeFailure } from './cli/failure.ts'
import { addKeys } from './cli/keys.ts'
import { addMail } from './cli/mail.ts'
import { addMigrate } from './cli/migrate.ts'
import { addRevokeAll } from './cli/revoke-all.ts'
import { addSecrets } from './cli/secrets.ts'
import { addSeed } from './cli/seed.ts'
import { addSession } from './cli/session.ts'
import { addUser } from './cli/user.ts'
import { addWebhook } from './cli/webhook.ts'
import { packageVersion } from './common/package-info.ts'

const FAILURE = 1
const WRONG_USAGE = 2

const program = new Command('pawl')
  .description(
    'Run and administer the Pawl authentication server. Environment variables configure it.',
  )
  .version(packageVersion())
  .showHelpAfterError('For help, add --help.')
  .exitOverride()

program
  .command('serve')
  .description('run the server until a signal stops it')
  .action(async () => {
    const { serve } = await import('./server.ts')
    await serve(process.env)
  })
const commands = [
  addMigrate,
  addSeed,
  addUser,
  addSession,
  addRevokeAll,
  addKeys,
  addEvents,
  addWebhook,
  addMail,
  addSecrets,
]
for (const add of commands) add(program, process)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed the error, or the help that was asked for.
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
  } else {
    process.stderr.write(`${describeFailure(error)}\n`)
    process.exitCode = FAILURE
  }
}
