import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Comparison, Settings } from '../comparison.ts'
import { compiledSources } from '../launch.ts'

const FIRST = 'without a data folder'
const AGAIN = 'with one'

/** Measures from the start of a process without Postgres and Redis to its first response. */
export async function coldStart({ quick }: Settings): Promise<Comparison> {
  const first: number[] = []
  const again: number[] = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    const folder = await mkdtemp(join(tmpdir(), 'pawl-bench-'))
    first.push(await secondsToAnswer(folder))
    again.push(await secondsToAnswer(folder))
    await rm(folder, { recursive: true })
  }
  return {
    title: 'Start of the embedded default, to the first answer',
    unit: 's',
    figures: [
      { name: FIRST, values: first },
      { name: AGAIN, values: again },
    ],
    targets: [
      { figure: FIRST, is: 'at most', value: 4 },
      { figure: AGAIN, is: 'at most', value: 2 },
    ],
  }
}

async function secondsToAnswer(folder: string): Promise<number> {
  const entry = join(await compiledSources(), 'src/server.js')
  const env = {
    PATH: process.env.PATH,
    PORT: '0',
    PAWL_DATA_DIR: join(folder, 'data'),
    LOG_LEVEL: 'info',
  }
  const begun = performance.now()
  const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise((resolve) => child.once('close', resolve))
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let output = ''
      child.once('exit', () =>
        reject(new Error(`the server exited before it listened:\n${output}`)),
      )
      child.stdout.on('data', (chunk) => {
        output += chunk
        const [, found] = /Server listening at (http:[^"\s]+)/.exec(output) ?? []
        if (found) resolve(found)
      })
    })
    const response = await fetch(`${url}/health/ready`)
    if (!response.ok) throw new Error(`the server responded with ${response.status}`)
    return (performance.now() - begun) / 1_000
  } finally {
    child.kill('SIGTERM')
    await closed
  }
}
