import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Comparison, judge, summarise, type Verdict } from './comparison.ts'
import { plot } from './plot.ts'
import { round } from './round.ts'

const ROOT = new URL('..', import.meta.url)
const RESULTS = new URL('bench/results.json', ROOT)
const PAGE = new URL('docs/benchmarks.md', ROOT)
const MARKERS = ['<!-- figures -->', '<!-- end of figures -->'] as const

/** The machine, the date and the versions of a measurement. */
export interface Machine {
  date: string
  commit: string
  cpu: string
  memory: string
  node: string
}

export async function describeMachine(): Promise<Machine> {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: fileURLToPath(ROOT), encoding: 'utf8' }).trim()
  const isChanged = git('status', '--porcelain', '--', 'src', 'plugins', 'routes') !== ''
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: `commit ${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' and changes' : ''}`,
    cpu: `${availableParallelism()} cores of ${cpus()[0]?.model ?? arch()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: `Node ${process.version}`,
  }
}

/** Returns a comparison as text for the terminal. */
export function describe(comparison: Comparison): string {
  const { title, unit, figures, targets, notes = [] } = comparison
  const width = Math.max(...figures.map(({ name }) => name.length))
  const lines = figures.map(({ name, values }) => {
    const { median, min, max } = summarise(values)
    const range = values.length > 1 ? `  (${round(min)} to ${round(max)})` : ''
    return `  ${name.padEnd(width)}  ${round(median).padStart(9)}${range}`
  })
  const verdicts = targets.map((target) => `  ${phrase(judge(comparison, target), target)}`)
  return [`${title} [${unit}]`, ...lines, ...verdicts, ...notes.map((note) => `  ${note}`)].join(
    '\n',
  )
}

function phrase(verdict: Verdict | undefined, target: Verdict['target']): string {
  const { figure, per, is, value } = target
  const what = per === undefined ? figure : `${figure} / ${per}`
  if (!verdict) return `${what}: not measured`
  const { median, min, max, isMet } = verdict
  const range = min === max ? '' : ` (${round(min)} to ${round(max)})`
  return `${what}: ${round(median)}${range}, ${is} ${value}: ${isMet ? 'met' : 'MISSED'}`
}

type Measurement = Comparison & { machine: Machine }

/** Adds a measurement to `results.json`, draws its plot and rewrites `docs/benchmarks.md`. */
export async function writeReport(name: string, measurement: Measurement): Promise<void> {
  const earlier = await readFile(RESULTS, 'utf8').catch(() => '{}')
  const results: Record<string, Measurement> = { ...JSON.parse(earlier), [name]: measurement }
  await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
  await mkdir(new URL('docs/benchmarks/', ROOT), { recursive: true })
  await writeFile(new URL(`docs/benchmarks/${name}.svg`, ROOT), plot(measurement))
  const page = await readFile(PAGE, 'utf8')
  const [begin, end] = MARKERS.map((marker) => page.indexOf(marker)) as [number, number]
  if (begin < 0 || end < begin) throw new Error(`docs/benchmarks.md lacks ${MARKERS.join(' or ')}`)
  const sections = Object.entries(results).map(([one, comparison]) => section(one, comparison))
  const head = page.slice(0, begin + MARKERS[0].length)
  const figures = `${targetTable(results)}\n${sections.join('\n')}`
  await writeFile(PAGE, `${head}\n\n${figures}\n${page.slice(end)}`)
}

function targetTable(results: Record<string, Comparison>): string {
  const rows = Object.values(results).flatMap((comparison) =>
    comparison.targets.map((target) => {
      const { figure, per, is, value } = target
      const verdict = judge(comparison, target)
      const measured = verdict
        ? `${round(verdict.median)} (${round(verdict.min)} to ${round(verdict.max)})`
        : '-'
      const what = per === undefined ? figure : `${figure} / ${per}`
      const met = verdict ? (verdict.isMet ? 'yes' : '**no**') : '-'
      return `| ${comparison.title} | ${what} | ${is} ${value} | ${measured} | ${met} |`
    }),
  )
  return [
    '| comparison | figure | target | measured | met |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function section(name: string, comparison: Measurement): string {
  const { title, unit, figures, notes = [], machine } = comparison
  const rows = figures.map(({ name, values }) => {
    const { median, min, max } = summarise(values)
    return `| ${name} | ${round(median)} | ${round(min)} | ${round(max)} |`
  })
  return [
    `## ${title}`,
    '',
    `![${title}](benchmarks/${name}.svg)`,
    '',
    `| ${unit} | median | min | max |`,
    '|---|---:|---:|---:|',
    ...rows,
    '',
    [...notes, `Measured: ${Object.values(machine).join(', ')}.`].join(' '),
    '',
  ].join('\n')
}
