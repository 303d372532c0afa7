/**
 * `npm run bench`: compares Pawl with alternatives and with the best that the machine can do.
 */
import { parseArgs } from 'node:util'
import type { Comparison, Settings } from './comparison.ts'
import { cleanUp } from './launch.ts'
import { describe, describeMachine, writeReport } from './report.ts'
import { authenticate } from './works/authenticate.ts'
import { coldStart } from './works/cold-start.ts'
import { denyList } from './works/deny-list.ts'
import { firstSight } from './works/first-sight.ts'
import { login } from './works/login.ts'
import { loginStorm } from './works/login-storm.ts'
import { loginTiming } from './works/login-timing.ts'
import { manySessions } from './works/many-sessions.ts'
import { memory } from './works/memory.ts'
import { reconnection } from './works/reconnection.ts'
import { refresh } from './works/refresh.ts'
import { revocation } from './works/revocation.ts'

export type Work = (settings: Settings) => Promise<Comparison>

const WORKS: Record<string, Work> = {
  authenticate,
  'first-sight': firstSight,
  refresh,
  login,
  'login-storm': loginStorm,
  'login-timing': loginTiming,
  memory,
  'many-sessions': manySessions,
  'deny-list': denyList,
  revocation,
  reconnection,
  'cold-start': coldStart,
}

const HELP = `npm run bench -- [name...] [--quick]
  name     a benchmark to run; all of them run if no name is given:
           ${Object.keys(WORKS).join('\n           ')}
  --quick  run each benchmark briefly to check that it works; do not store the figures
  --help   print this help
`

const say = (text: string) => process.stdout.write(`${text}\n`)

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const isWrong = positionals.some((name) => !WORKS[name])
  if (values.help || isWrong) {
    say(HELP)
    return isWrong ? 2 : 0
  }
  const machine = await describeMachine()
  say(Object.values(machine).join(', '))
  for (const [name, work] of Object.entries(WORKS)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue
    const comparison = await work({ quick: values.quick, say })
    say(`\n${describe(comparison)}`)
    if (!values.quick) await writeReport(name, { ...comparison, machine })
  }
  return 0
}

try {
  process.exitCode = await main()
} finally {
  await cleanUp()
}
