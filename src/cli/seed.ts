import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError } from 'commander'
import { loadDatabaseConfig } from '../config/config.ts'
import { Credentials, type Seed } from '../schemas/credentials.ts'
import { createPasswordHasher } from '../users/password-hasher.ts'
import { checkNewPassword, normalizePassword } from '../users/password-policy.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { createProgress } from './progress.ts'
import { readSeeds } from './seed-file.ts'
import { numberedEmail, type Seeding, seedListed, seedNumbered } from './seeding.ts'
import type { Terminal } from './terminal.ts'

interface SeedOptions {
  file?: string
  count?: number
  password?: string
  force?: true
}

const MOST_USERS = 10_000_000

const HELP = `
The file is an array of users; roles and status may be left out:
  [{ "email": "ada@example.com", "password": "…", "roles": ["admin"], "status": "active" }]

Users that exist already are left as they are, so the command may be repeated.`

/** `pawl seed`: users for development, demonstrations and measurements. */
export function addSeed(program: Command, terminal: Terminal): void {
  program
    .command('seed')
    .description('make users, from a file or by number')
    .option('--file <path>', 'make the users in this JSON file')
    .option('--count <n>', `make ${numberedEmail(1)} to number n`, parseCount)
    .option(
      '--password <password>',
      'of the users made by --count; without it a random one is printed',
    )
    .option('--force', 'also where users exist who were not made by this command')
    .addHelpText('after', HELP)
    .action(async (options: SeedOptions, command: Command) => {
      if (options.file === undefined && options.count === undefined)
        command.error('error: say whom to make: --file users.json, --count 1000, or both')
      if (options.password !== undefined && options.count === undefined)
        command.error('error: --password belongs to --count')
      await seed(terminal, options)
    })
}

async function seed(
  terminal: Terminal,
  { file, count = 0, password, force }: SeedOptions,
): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  const { passwordMinLength } = config
  // Everything that can be wrong about the input is found before the database is touched.
  const seeds = file === undefined ? [] : await readSeeds(file, passwordMinLength)
  if (password !== undefined) checkCommonPassword(password, passwordMinLength)

  await withDatabase(config, async (database) => {
    const records = createUserRecords(database)
    if (!force && (await records.hasRealUsers()))
      throw new Error(
        'This database has users who were not made by seeding. To add seeded ones to them, use --force.',
      )
    const parts = { records, hasher: await createPasswordHasher(config) }
    if (file !== undefined) await fromList(terminal, seeds, availableParallelism(), parts)
    if (count > 0) await byNumber(terminal, count, password, parts)
  })
}

type Parts = Omit<Seeding, 'onProgress'>

async function fromList(
  { stdout, stderr }: Terminal,
  seeds: Seed[],
  concurrency: number,
  parts: Parts,
) {
  const progress = createProgress(stderr, seeds.length)
  const made = await seedListed(seeds, concurrency, { ...parts, onProgress: progress.update })
  progress.clear()
  for (const email of made) stdout.write(`made ${email}\n`)
  stdout.write(summary('from the file', made.length, seeds.length))
}

async function byNumber(
  { stdout, stderr }: Terminal,
  count: number,
  given: string | undefined,
  parts: Parts,
) {
  const password = given ?? randomBytes(12).toString('base64url')
  const progress = createProgress(stderr, count)
  // Printed as soon as it is in use: after an interruption it would be lost.
  const onFirst = () => {
    progress.clear()
    if (given === undefined) stdout.write(`The password of the users made now: ${password}\n`)
  }
  const made = await seedNumbered(
    count,
    password,
    { ...parts, onProgress: progress.update },
    onFirst,
  )
  progress.clear()
  stdout.write(summary('by number', made, count))
}

function summary(how: string, made: number, all: number): string {
  return `Users ${how}: ${made} made, ${all - made} already there.\n`
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text) || Number(text) > MOST_USERS)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_USERS}.`)
  return Number(text)
}

function checkCommonPassword(password: string, passwordMinLength: number): void {
  const email = numberedEmail(1)
  if (!Value.Check(Credentials, { email, password }))
    throw new Error('The password is too long, or not text.')
  checkNewPassword(normalizePassword(password), email, passwordMinLength)
}
