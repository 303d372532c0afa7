/**
 * `npm run test:faults`: every fault under load, and a table of what came of it. Ends with 1 where a figure that must be 0 is
 * not.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareSources, ROOT } from '../support/services/sources.ts'
import { type Break, breaksNamed, runBreak } from './breaks.ts'
import { isClean, type Verdict } from './checker.ts'
import type { Event } from './record.ts'
import { page, type Settings, table } from './report.ts'
import { FAULT_NAMES, type Scenario, scenarios, TOPOLOGY_NAMES } from './scenarios.ts'
import { runTrial, type Trial } from './trial.ts'

const HELP = `npm run test:faults -- [options]
  --seconds <n>      how long each fault is injected again and again (20)
  --topology <name>  only this form of Redis; may be repeated: ${TOPOLOGY_NAMES.join(', ')}
  --fault <name>     only this one; may be repeated: ${FAULT_NAMES.join(', ')}
  --part <k>/<n>     of these, each nth from the kth on: for n runs side by side
  --seed <n>         repeats the choices of another run, as far as chance is all there is to it
  --people <n>       how many clients at once (80)
  --write            write the table to docs/faults.md
  --record <file>    write down every request and answer, a line of JSON each, to look into what was found
  --breaks           instead, break the promises on purpose, one after the other, and see whether it is found out
  --break <name>     the same with this one alone; may be repeated
`
/** So many are shown of each kind. */
const MOST_SHOWN = 5

const toLine = (event: Event) => `${JSON.stringify(event)}\n`
const say = (text: string) => process.stdout.write(text)

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
    say(HELP)
    return isWrong ? 1 : 0
  }
  if (values.breaks || values.break) return tryBreaks(breaksNamed(values.break), settings.seed)
  const chosen = scenarios(values.topology, values.fault).filter(
    (_, index) => index % parts === part - 1,
  )
  const trials = await tryFaults(chosen, settings)
  if (values.record)
    await writeFile(
      values.record,
      trials
        .flatMap(({ events }) => events)
        .map(toLine)
        .join(''),
    )
  if (values.write) await writeFile(join(ROOT, 'docs/faults.md'), await page(trials, settings))
  return trials.every(isClean) ? 0 : 1
}

async function tryFaults(chosen: readonly Scenario[], settings: Settings): Promise<Trial[]> {
  const trials: Trial[] = []
  const { dist, remove } = await prepareSources()
  try {
    for (const scenario of chosen) {
      const { topology, fault } = scenario
      say(`${topology.name}, ${fault.name}: ${fault.description}\n`)
      const trial = await runTrial({ ...scenario, dist, ...settings })
      trials.push(trial)
      say(describe(trial))
    }
  } finally {
    await remove()
  }
  say(`\nseed ${settings.seed}\n\n${table(trials)}\n`)
  return trials
}

async function tryBreaks(chosen: readonly Break[], seed: number): Promise<number> {
  let overlooked = 0
  for (const broken of chosen) {
    say(`${broken.name}\n`)
    const trial = await runBreak(broken, seed)
    const isFound = trial.violations[broken.shows].length > 0
    if (!isFound) overlooked++
    say(describe(trial))
    say(`  ${isFound ? 'found' : 'OVERLOOKED'} after ${Math.round(trial.took / 1000)} s\n`)
  }
  say(overlooked === 0 ? 'All were found out.\n' : `${overlooked} were overlooked.\n`)
  return overlooked === 0 ? 0 : 1
}

function describe({ violations, figures }: Verdict): string {
  const lines = Object.entries<string[]>({ ...violations }).flatMap(([kind, found]) => [
    ...found.slice(0, MOST_SHOWN).map((one) => `  ${kind}: ${one}\n`),
    ...(found.length > MOST_SHOWN ? [`  ${kind}: ${found.length - MOST_SHOWN} more\n`] : []),
  ])
  const { faults, sessions, refreshes, thefts } = figures
  const what = `  ${faults} times: ${sessions} sessions, ${refreshes} refreshes, ${thefts} thefts\n`
  return [what, ...lines].join('')
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  },
)
