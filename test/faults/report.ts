import { spawnSync } from 'node:child_process'
import { findPostgres, findRedis } from '../support/services/binaries.ts'
import { ROOT } from '../support/services/sources.ts'
import { type Column, OTHER_COLUMNS, SESSION_COLUMNS, seconds } from './columns.ts'
import { ACCESS_TTL, GRACE, MAX_STALENESS, STALL } from './system.ts'
import { CALM, type Trial } from './trial.ts'

/** Returns the figures of all trials as Markdown tables: one for each set of columns. */
export function tables(trials: readonly Trial[]): string {
  const { ofSessions, others } = split(trials)
  const given = [
    ...(ofSessions.length > 0 ? [table(ofSessions, SESSION_COLUMNS)] : []),
    ...(others.length > 0 ? [table(others, OTHER_COLUMNS)] : []),
  ]
  return given.join('\n\n')
}

function split(trials: readonly Trial[]) {
  return {
    ofSessions: trials.filter(({ topology }) => !topology.load),
    others: trials.filter(({ topology }) => topology.load),
  }
}

function table(trials: readonly Trial[], columns: readonly Column[]): string {
  const rows = trials.map((trial) => columns.map((column) => String(column.value(trial))))
  const sum = ({ value }: Column) =>
    trials.reduce((total, trial) => total + Number(value(trial)), 0)
  const sums = columns.map((column, index) =>
    column.sums ? String(sum(column)) : index === 0 ? 'all' : '',
  )
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = line(columns.map(({ isText }) => (isText ? '---' : '--:')))
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line), line(sums)].join('\n')
}

function firstLine(command: string, args: string[], env: NodeJS.ProcessEnv = {}): string {
  const { stdout } = spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return stdout?.split('\n')[0] ?? ''
}

async function versions(): Promise<string> {
  const [redis, postgres] = await Promise.all([findRedis(), findPostgres()])
  const version = (text: string) => /\d+(\.\d+)+/.exec(text)?.[0] ?? 'unknown'
  const commit = firstLine('git', ['rev-parse', '--short', 'HEAD'])
  const changed = firstLine('git', ['status', '--porcelain', 'src', 'plugins', 'routes'])
    ? ', with changes'
    : ''
  return [
    `Node.js ${process.versions.node}`,
    `Redis ${version(firstLine(redis.command, ['--version'], redis.env))}`,
    `Postgres ${version(firstLine(postgres.postgres, ['--version'], postgres.env))}`,
    `commit ${commit}${changed}`,
  ].join(', ')
}

export interface Settings {
  seed: number
  people: number
  /** Milliseconds. */
  duration: number
}

/** Returns the pages of `docs` about these trials, by the names of their files. */
export async function pages(
  trials: readonly Trial[],
  settings: Settings,
): Promise<Map<string, string>> {
  const { ofSessions, others } = split(trials)
  const written = new Map<string, string>()
  if (ofSessions.length > 0) written.set('faults.md', await sessionPage(ofSessions, settings))
  if (others.length > 0) written.set('mail-faults.md', await otherPage(others, settings))
  return written
}

async function sessionPage(
  trials: readonly Trial[],
  { seed, people, duration }: Settings,
): Promise<string> {
  return `# What faults do

This page is made by \`npm run test:faults -- --write --seed ${seed}\`:
${await versions()}.

Three server processes, a Postgres and one form of Redis, all of them real, run under the load of ${people}
clients. Honest clients have one to three tabs, which sometimes refresh at the same moment. They
lose responses and retry with the key of the attempt (sometimes much later) or, if they send no key,
within the grace period. Some log out. Three in ten are stolen from: a thief copies their newest
refresh token, uses it at some later moment, and continues with the tokens that it gets.

Every request and every response is recorded. A checker that knows nothing of how Pawl works judges
the record afterwards ([checker.ts](../test/faults/checker.ts)). Tests prove that the checker finds
violations: in records that are made up, and in systems that are broken on purpose
([breaks.ts](../test/faults/breaks.ts)). [Another page](mail-faults.md) has the same for mails and
guesses.

Each row is a system of its own. It runs for ${seconds(duration)} with faults, and for ${seconds(CALM)} without faults at
the end. Everything is faster there than in production: the grace period is ${seconds(GRACE)}, access tokens
live for ${seconds(ACCESS_TTL)}, and the staleness bound is ${seconds(MAX_STALENESS)}. A stall takes ${seconds(STALL[0])} to ${seconds(STALL[1])}: longer than
the bound, shorter than the grace period.

${table(trials, SESSION_COLUMNS)}

${legend(trials, SESSION_COLUMNS)}`
}

async function otherPage(trials: readonly Trial[], { seed, duration }: Settings): Promise<string> {
  const chosen = [...new Set(trials.map(({ topology }) => `--topology ${topology.name}`))].join(' ')
  return `# What faults do to mails and guesses

This page is made by
\`npm run test:faults -- ${chosen} --write --seed ${seed}\`:
${await versions()}.

Three server processes, a Postgres, a Redis and a mail server, all of them real, as on the page
about [sessions](faults.md). Each row runs for ${seconds(duration)} with faults.

A trigger in Postgres notes each mail in the transaction that commits it, and the mail server notes
what it accepts. A mail is delivered at least once, so it may arrive again; nothing may be lost, and
the mails of one user may not change their order. When the faults are over, the harness makes all
retries due, because it does not wait for their pauses. If Redis is unavailable, no password is
checked ([why](guides/abuse.md#when-redis-is-unavailable)).

${table(trials, OTHER_COLUMNS)}

${legend(trials, OTHER_COLUMNS)}`
}

/** Explains the columns, the first of which is about the topology, and the faults. */
function legend(trials: readonly Trial[], columns: readonly Column[]): string {
  const descriptions = new Map(trials.map(({ topology }) => [topology.name, topology.description]))
  const first = columns[0]?.title
  return `| column | |
|---|---|
${columns.map(({ title, meaning }) => `| ${title} | ${meaning} |`).join('\n')}

| ${first} | |
|---|---|
${[...descriptions].map(([name, description]) => `| ${name} | ${description} |`).join('\n')}

| ${first} | fault | |
|---|---|---|
${trials.map(({ topology, fault }) => `| ${topology.name} | ${fault.name} | ${fault.description} |`).join('\n')}
`
}
