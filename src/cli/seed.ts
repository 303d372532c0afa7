import { randomBytes } from 'node:crypto'
import { Value } from '@sinclair/typebox/value'
import { type Command, InvalidArgumentError } from 'commander'
import { loadDatabaseConfig } from '../config/config.ts'
import { Credentials, type Seed } from '../schemas/credentials.ts'
import { createPasswordHasher } from '../users/password-hasher.ts'
import { createPasswordPolicy, type PasswordPolicy } from '../users/password-policy.ts'
import { createUserRecords } from '../users/user-records.ts'
import { withDatabase } from './database.ts'
import { readSeeds } from './seed-file.ts'
import { numberedEmail, type Seeding, seedListed, seedNumbered } from './seeding.ts'
import { createProgress, type Terminal } from './terminal.ts'

interface SeedOptions {
  file?: string
  count?: number
  password?: string
  force?: true
}

const MAX_COUNT = 10_000_000

const HELP = `
The file is an array of users. Everything but an address or an id is optional:
  [{ "email": "ada@example.com", "password": "…", "roles": ["admin"], "status": "active" },
   { "id": "auth0|5f7c", "email": "bob@example.com", "passwordHash": "$2b$10$…" }]
The hash may come from another application; 'pawl user export' writes such a file.

Existing users are left unchanged, so the command may be repeated.`

/** Adds `pawl seed`, which creates users for development, demonstrations and measurements. */
export function addSeed(program: Command, terminal: Terminal): void {
  program
    .command('seed')
    .description('create many users, from a file or by number')
    .option('--file <path>', 'create the users in this JSON file')
    .option('--count <n>', `create the users ${numberedEmail(1)} to number n`, parseCount)
    .option(
      '--password <password>',
      'password of the users of --count; by default a random one, which is printed',
    )
    .option('--force', 'seed a database that has other users')
    .addHelpText('after', HELP)
    .action(async (options: SeedOptions, command: Command) => {
      if (options.file === undefined && options.count === undefined)
        command.error('error: name the users with --file users.json, --count 1000, or both')
      if (options.password !== undefined && options.count === undefined)
        command.error('error: --password needs --count')
      await seed(terminal, options)
    })
}

async function seed(
  terminal: Terminal,
  { file, count = 0, password, force }: SeedOptions,
): Promise<void> {
  const config = loadDatabaseConfig(terminal.env)
  const policy = createPasswordPolicy(config)
  // All errors in the input are found before the database is touched.
  const seeds = file === undefined ? [] : await readSeeds(file, policy)
  if (password !== undefined) checkCommonPassword(password, policy)

  await withDatabase(config, async (database) => {
    const records = createUserRecords(database)
    if (!force && (await records.hasRealUsers()))
      throw new Error(
        'This database has users who were not created by seeding. To seed it anyway, add --force.',
      )
    const parts = { records, hasher: createPasswordHasher(config) }
    if (file !== undefined) await seedFromFile(terminal, seeds, parts)
    if (count > 0) await seedByNumber(terminal, count, password, parts)
  })
}

type Parts = Omit<Seeding, 'onProgress'>

async function seedFromFile(terminal: Terminal, seeds: Seed[], parts: Parts): Promise<void> {
  const progress = createProgress(terminal, seeds.length)
  const created = await seedListed(seeds, { ...parts, onProgress: progress.update })
  progress.clear()
  for (const email of created) terminal.stdout.write(`created ${email}\n`)
  terminal.stdout.write(summarize('from the file', created.length, seeds.length))
}

async function seedByNumber(
  terminal: Terminal,
  count: number,
  given: string | undefined,
  parts: Parts,
): Promise<void> {
  const password = given ?? randomBytes(12).toString('base64url')
  const progress = createProgress(terminal, count)
  // Printed as soon as a user has it, because it would be lost if the command were interrupted.
  const onFirst = () => {
    progress.clear()
    if (given === undefined) terminal.stdout.write(`Password of the new users: ${password}\n`)
  }
  const seeding = { ...parts, onProgress: progress.update }
  const created = await seedNumbered(count, password, seeding, onFirst)
  progress.clear()
  terminal.stdout.write(summarize('by number', created, count))
}

function summarize(how: string, created: number, all: number): string {
  return `Users ${how}: ${created} created, ${all - created} existed already.\n`
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text) || Number(text) > MAX_COUNT)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_COUNT}.`)
  return Number(text)
}

function checkCommonPassword(password: string, policy: PasswordPolicy): void {
  const email = numberedEmail(1)
  if (!Value.Check(Credentials, { email, password }))
    throw new Error('The password is too long, or is not valid text.')
  policy.check(password, email)
}
