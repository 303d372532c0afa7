import { spawnSync } from 'node:child_process'
import { findPostgres, findRedis } from '../support/services/binaries.ts'
import { ROOT } from '../support/services/sources.ts'
import { ACCESS_TTL, GRACE, MAX_STALENESS, STALL } from './system.ts'
import { CALM, type Trial } from './trial.ts'

interface Column {
  title: string
  meaning: string
  value(trial: Trial): number | string
  /** What is there in the row of sums; nothing unless it is one. */
  sums?: boolean
  /** It says no number. */
  isText?: boolean
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const COLUMNS: readonly Column[] = [
  {
    title: 'Redis',
    meaning: 'the form that it comes in',
    value: ({ topology }) => topology.name,
    isText: true,
  },
  {
    title: 'fault',
    meaning: 'what was done, again and again, at random moments',
    value: ({ fault }) => fault.name,
    isText: true,
  },
  {
    title: 'injected',
    meaning: 'how many times; each time the servers were given the time to recover',
    value: ({ figures }) => figures.faults,
    sums: true,
  },
  {
    title: 'sessions',
    meaning: 'sessions opened',
    value: ({ figures }) => figures.sessions,
    sums: true,
  },
  {
    title: 'refreshes',
    meaning: 'refreshes answered with a token pair',
    value: ({ figures }) => figures.refreshes,
    sums: true,
  },
  {
    title: 'requests',
    meaning: 'requests with an access token that were let through',
    value: ({ figures }) => figures.accesses,
    sums: true,
  },
  {
    title: '503',
    meaning: 'requests that were answered 503, or not at all',
    value: ({ figures }) => figures.unavailable,
    sums: true,
  },
  {
    title: 'thefts',
    meaning: 'sessions of which a thief was served a token pair',
    value: ({ figures }) => figures.thefts,
    sums: true,
  },
  {
    title: 'found',
    meaning: 'of these, sessions that ended for it before the run did',
    value: ({ figures }) => figures.theftsFound,
    sums: true,
  },
  {
    title: '**honest log-outs**',
    meaning:
      'sessions without a thief that ended although their owner had not asked for it: must be 0',
    value: ({ violations }) => violations.honestLogouts.length,
    sums: true,
  },
  {
    title: '**revoked, accepted**',
    meaning:
      'sessions of which a refresh token was accepted after their end was acknowledged, or an access token later than the staleness bound after it: must be 0',
    value: ({ violations }) => violations.revokedAccepted.length,
    sums: true,
  },
  {
    title: '**two successors**',
    meaning:
      'generations that had two different ones, without a fault that lost the write between: must be 0',
    value: ({ violations }) => violations.forks.length,
    sums: true,
  },
  {
    title: '**both served**',
    meaning:
      'sessions in which thief and victim were both served after the second refresh that came more than the grace after the other’s, without a fault that lost the write between: must be 0',
    value: ({ violations }) => violations.bothServed.length,
    sums: true,
  },
  {
    title: '**errors**',
    meaning:
      'answers that no client is meant to get, such as 500, and server processes that ended by themselves: must be 0',
    value: ({ violations }) => violations.errors.length,
    sums: true,
  },
  {
    title: 'recovery',
    meaning:
      'the longest time from the start of a fault until every server said that it was ready, the fault included',
    value: ({ slowestRecovery }) => seconds(slowestRecovery),
  },
]

/** The figures of all trials, as a Markdown table. */
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

/** `docs/faults.md`. */
export async function page(
  trials: readonly Trial[],
  { seed, people, duration }: Settings,
): Promise<string> {
  const descriptions = new Map(trials.map(({ topology }) => [topology.name, topology.description]))
  return `# What faults do to it

Made by \`npm run test:faults -- --write --seed ${seed}\`: ${await versions()}.

Three server processes, a Postgres, and Redis in one of its forms, all of them real, under the load of ${people} people at
once. Honest ones have one to three tabs, which refresh now and then at the same moment; they lose answers, ask again with the
key of their attempt (sometimes much later) or, where they send none, within the grace; some log out. Three in ten are stolen
from: a thief copies their newest refresh token, uses it at some later moment, and goes on with what he gets. Every request
and every answer is written down, and judged afterwards by a checker that knows nothing of how Pawl works
([checker.ts](../test/faults/checker.ts)). That the checker finds what it looks for is a test, too: of records made up, and
of systems that were broken on purpose ([breaks.ts](../test/faults/breaks.ts)).

Each row is a system of its own, for ${seconds(duration)} and ${seconds(CALM)} without faults at the end. All of life goes faster
there: a grace of ${seconds(GRACE)}, access tokens that live for ${seconds(ACCESS_TTL)}, a staleness bound of ${seconds(MAX_STALENESS)}. A stall lasts
${seconds(STALL[0])} to ${seconds(STALL[1])}: longer than the bound, shorter than the grace.

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
