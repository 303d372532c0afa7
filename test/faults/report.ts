import { spawnSync } from 'node:child_process'
import { findPostgres, findRedis } from '../support/services/binaries.ts'
import { ROOT } from '../support/services/sources.ts'
import { ACCESS_TTL, GRACE, MAX_STALENESS, STALL } from './system.ts'
import { CALM, type Trial } from './trial.ts'

interface Column {
  title: string
  meaning: string
  value(trial: Trial): number | string
  /** Whether the last row shows the sum of the column. */
  sums?: boolean
  /** Whether the column holds text instead of a number. */
  isText?: boolean
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const COLUMNS: readonly Column[] = [
  {
    title: 'Redis',
    meaning: 'the form of Redis',
    value: ({ topology }) => topology.name,
    isText: true,
  },
  {
    title: 'fault',
    meaning: 'the fault that was injected, again and again, at random moments',
    value: ({ fault }) => fault.name,
    isText: true,
  },
  {
    title: 'injected',
    meaning: 'the number of injections; each time the servers had time to recover',
    value: ({ figures }) => figures.faults,
    sums: true,
  },
  {
    title: 'sessions',
    meaning: 'sessions started',
    value: ({ figures }) => figures.sessions,
    sums: true,
  },
  {
    title: 'refreshes',
    meaning: 'refreshes that got a token pair',
    value: ({ figures }) => figures.refreshes,
    sums: true,
  },
  {
    title: 'requests',
    meaning: 'requests with an access token that were accepted',
    value: ({ figures }) => figures.accesses,
    sums: true,
  },
  {
    title: '503',
    meaning: 'requests that got 503, or no response',
    value: ({ figures }) => figures.unavailable,
    sums: true,
  },
  {
    title: 'thefts',
    meaning: 'sessions in which a thief got a token pair',
    value: ({ figures }) => figures.thefts,
    sums: true,
  },
  {
    title: 'found',
    meaning: 'the number of those sessions that ended for that reason during the run',
    value: ({ figures }) => figures.theftsFound,
    sums: true,
  },
  {
    title: '**honest log-outs**',
    meaning:
      'sessions without a thief that ended although the owner had not logged out, unless Postgres had lost the sign-up, or the clock of Redis was set during the grace period: must be 0',
    value: ({ violations }) => violations.honestLogouts.length,
    sums: true,
  },
  {
    title: '**revoked, accepted**',
    meaning:
      'sessions with a refresh token that was accepted after the acknowledged end, or an access token that was accepted later than the staleness bound after it: must be 0',
    value: ({ violations }) => violations.revokedAccepted.length,
    sums: true,
  },
  {
    title: '**two successors**',
    meaning:
      'generations with two different successors, without a fault that lost the write in between: must be 0',
    value: ({ violations }) => violations.forks.length,
    sums: true,
  },
  {
    title: '**both served**',
    meaning:
      'sessions in which thief and victim were both served after the second refresh that came more than the grace period after the other’s, without a fault that lost the write in between: must be 0',
    value: ({ violations }) => violations.bothServed.length,
    sums: true,
  },
  {
    title: '**errors**',
    meaning:
      'responses that no client should get, such as 500, and server processes that crashed: must be 0',
    value: ({ violations }) => violations.errors.length,
    sums: true,
  },
  {
    title: 'recovery',
    meaning:
      'the longest time from the start of a fault until every server was ready, including the fault',
    value: ({ slowestRecovery }) => seconds(slowestRecovery),
  },
]

/** Returns the figures of all trials as a Markdown table. */
export function table(trials: readonly Trial[]): string {
  const rows = trials.map((trial) => COLUMNS.map((column) => String(column.value(trial))))
  const sum = ({ value }: Column) =>
    trials.reduce((total, trial) => total + Number(value(trial)), 0)
  const sums = COLUMNS.map((column, index) =>
    column.sums ? String(sum(column)) : index === 0 ? 'all' : '',
  )
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = line(COLUMNS.map(({ isText }) => (isText ? '---' : '--:')))
  return [line(COLUMNS.map(({ title }) => title)), rule, ...rows.map(line), line(sums)].join('\n')
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

/** Returns the text of `docs/faults.md`. */
export async function page(
  trials: readonly Trial[],
  { seed, people, duration }: Settings,
): Promise<string> {
  const descriptions = new Map(trials.map(({ topology }) => [topology.name, topology.description]))
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
([breaks.ts](../test/faults/breaks.ts)).

Each row is a system of its own. It runs for ${seconds(duration)} with faults, and for ${seconds(CALM)} without faults at
the end. Everything is faster there than in production: the grace period is ${seconds(GRACE)}, access tokens
live for ${seconds(ACCESS_TTL)}, and the staleness bound is ${seconds(MAX_STALENESS)}. A stall takes ${seconds(STALL[0])} to ${seconds(STALL[1])}: longer than
the bound, shorter than the grace period.

${table(trials)}

| column | |
|---|---|
${COLUMNS.map(({ title, meaning }) => `| ${title} | ${meaning} |`).join('\n')}

| Redis | |
|---|---|
${[...descriptions].map(([name, description]) => `| ${name} | ${description} |`).join('\n')}

| Redis | fault | |
|---|---|---|
${trials.map(({ topology, fault }) => `| ${topology.name} | ${fault.name} | ${fault.description} |`).join('\n')}
`
}
