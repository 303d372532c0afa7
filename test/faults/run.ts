/**
 * `npm run test:faults`: runs every fault under load and prints a table of the results. Exits with
 * 1 if a figure that must be 0 is not 0.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareSources, ROOT } from '../support/services/sources.ts'
import type { Break } from './break.ts'
import { breaksNamed, runBreak } from './breaks.ts'
import { isClean, type Verdict } from './checker.ts'
import type { Event } from './record.ts'
import { pages, type Settings, tables } from './report.ts'
import { FAULT_NAMES, type Scenario, scenarios, TOPOLOGY_NAMES } from './scenarios.ts'
import { runTrial, type Trial } from './trial.ts'

const HELP = `npm run test:faults -- [options]
  --seconds <n>      seconds for which each fault is injected again and again (20)
  --topology <name>  run only this form of Redis; may be repeated: ${TOPOLOGY_NAMES.join(', ')}
  --fault <name>     run only this fault; may be repeated: ${FAULT_NAMES.join(', ')}
  --part <k>/<n>     run every nth scenario from the kth on, for n runs at once
  --seed <n>         repeat the random choices of another run
  --people <n>       number of clients at once (80)
  --write            write the tables to docs/faults.md and docs/mail-faults.md
  --record <file>    write every request and response to a file, as lines of JSON
  --breaks           break each promise on purpose instead, and check that it is found
  --break <name>     break only this promise; may be repeated
`
/** The maximum number of violations that are shown of each kind. */
const MOST_SHOWN = 5

const toLine = (event: Event) => `${JSON.stringify(event)}\n`
const print = (text: string) => process.stdout.write(text)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      topology: { type: 'string', multiple: true },
      fault: { type: 'string', multiple: true },
      part: { type: 'string', default: '1/1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      people: { type: 'string', default: '80' },
      write: { type: 'boolean', default: false },
      record: { type: 'string' },
      breaks: { type: 'boolean', default: false },
      break: { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  })
  const settings = {
    seed: Number(values.seed),
    people: Number(values.people),
    duration: Number(values.seconds) * 1000,
  }
  const [part = 0, parts = 0] = values.part.split('/').map(Number)
  const isWrong =
    Object.values(settings).some((value) => !(value >= 0)) || !(part >= 1 && part <= parts)
  if (values.help || isWrong) {
    print(HELP)
    return isWrong ? 1 : 0
  }
  if (values.breaks || values.break) return runBreaks(breaksNamed(values.break), settings.seed)
  const chosen = scenarios(values.topology, values.fault).filter(
    (_, index) => index % parts === part - 1,
  )
  const trials = await runFaults(chosen, settings)
  if (values.record)
    await writeFile(
      values.record,
      trials
        .flatMap(({ events }) => events)
        .map(toLine)
        .join(''),
    )
  if (values.write)
    for (const [name, text] of await pages(trials, settings))
      await writeFile(join(ROOT, 'docs', name), text)
  return trials.every(isClean) ? 0 : 1
}

async function runFaults(chosen: readonly Scenario[], settings: Settings): Promise<Trial[]> {
  const trials: Trial[] = []
  const { dist, remove } = await prepareSources()
  try {
    for (const scenario of chosen) {
      const { topology, fault } = scenario
      print(`${topology.name}, ${fault.name}: ${fault.description}\n`)
      const trial = await runTrial({ ...scenario, dist, ...settings })
      trials.push(trial)
      print(describe(trial))
    }
  } finally {
    await remove()
  }
  print(`\nseed ${settings.seed}\n\n${tables(trials)}\n`)
  return trials
}

async function runBreaks(chosen: readonly Break[], seed: number): Promise<number> {
  let overlooked = 0
  for (const broken of chosen) {
    print(`${broken.name}\n`)
    const trial = await runBreak(broken, seed)
    const isFound = trial.violations[broken.shows].length > 0
    if (!isFound) overlooked++
    print(describe(trial))
    print(`  ${isFound ? 'found' : 'NOT FOUND'} after ${Math.round(trial.took / 1000)} s\n`)
  }
  print(overlooked === 0 ? 'All were found.\n' : `${overlooked} were not found.\n`)
  return overlooked === 0 ? 0 : 1
}

function describe({ violations, figures }: Verdict): string {
  const lines = Object.entries<string[]>({ ...violations }).flatMap(([kind, found]) => [
    ...found.slice(0, MOST_SHOWN).map((one) => `  ${kind}: ${one}\n`),
    ...(found.length > MOST_SHOWN ? [`  ${kind}: ${found.length - MOST_SHOWN} more\n`] : []),
  ])
  const { faults, sessions, refreshes, thefts, mails, guessesChecked: guesses } = figures
  const counts = Object.entries({ sessions, refreshes, thefts, mails, guesses })
  const shown = counts.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`)
  const what = `  ${faults} times: ${shown.join(', ')}\n`
  return [what, ...lines].join('')
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  },
)
