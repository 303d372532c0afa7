import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Comparison, Figure, Settings } from '../comparison.ts'
import { compiledSources, startPawl, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

/**
 * Requests per second. The pace is far below the limit of the server, so that only the storm
 * changes the times.
 */
const PACE = 250
const CONNECTIONS = 32

/**
 * Compares the duration of authenticated requests with and without a login storm. In the storm, as
 * many users log in as the machine can hash passwords for.
 */
export function loginStorm({ quick }: Settings): Promise<Comparison> {
  const [rounds, seconds] = quick ? [1, 1] : [5, 4]
  return withStores(async (stores) => {
    const pawl = await startPawl(stores)
    const sessions = await pawl.seed({ count: quick ? 100 : 2_000 })
    const logins = sessions.flatMap((session) => session.login ?? [])
    const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'))
    const file = join(folder, 'requests.json')
    await writeFile(
      file,
      JSON.stringify(sessions.slice(0, 100).map(({ authenticate }) => authenticate)),
    )
    const probe = () => ask([pawl.url, file, String(PACE), String(seconds)])
    const storm = (round: number) =>
      attack(pawl.url, logins.slice(round * 300), {
        duration: (seconds + 1) * 1_000,
        connections: CONNECTIONS,
      })
    const calm: Figure = { name: 'calm', values: [] }
    const stormy: Figure = { name: 'login storm', values: [] }
    await probe()
    for (let round = 0; round < rounds; round++) {
      calm.values.push(await probe())
      const [p99] = await Promise.all([probe(), storm(round)])
      stormy.values.push(p99)
    }
    await rm(folder, { recursive: true })
    return {
      title: `p99 of authenticated GETs, ${PACE} a second`,
      unit: 'ms',
      figures: [calm, stormy],
      targets: [{ figure: stormy.name, per: calm.name, is: 'at most', value: 3 }],
      notes: [`During the login storm, ${CONNECTIONS} clients log in without a pause.`],
    }
  })
}

/** Returns the p99 of the durations, in milliseconds. */
async function ask(args: string[]): Promise<number> {
  const file = join(await compiledSources(), 'bench/probe.js')
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await new Promise((resolve) => child.once('close', resolve))
  return (JSON.parse(output) as { p99: number }).p99
}
