import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Peer, SeededSession } from './peer.ts'

export interface Stores {
  redisUrl: string
  databaseUrl: string
}

export interface RunningPeer {
  url: string
  pid: number
  seed(count: number): Promise<SeededSession[]>
  stop(): Promise<void>
}

const TSX = import.meta.resolve('tsx')

/** A peer in a process of its own, on stores that are empty; rejects where it ends before it listens. */
export async function startPeer(peer: Peer, stores: Stores): Promise<RunningPeer> {
  const program = fileURLToPath(peer.server)
  const loader = program.endsWith('.ts') ? ['--import', TSX] : []
  const child = spawn(process.execPath, [...loader, program], {
    // The loader takes its settings from the tsconfig.json of the working directory.
    cwd: fileURLToPath(new URL('.', peer.server)),
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: '0',
      REDIS_URL: stores.redisUrl,
      DATABASE_URL: stores.databaseUrl,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await listening(child)
  return {
    url,
    pid: child.pid ?? 0,
    async seed(count) {
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`${url}/bench/seed`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ count }),
      })
      if (!response.ok) throw new Error(`${peer.name} answered ${response.status}: ${await response.text()}`)
      return (await response.json()) as SeededSession[]
    },
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.once('exit', () => reject(new Error(`a peer ended:\n${output}`)))
    child.stdout?.on('data', (chunk) => {
      if (output.length > 10_000) return
      output += chunk
      const [, url] = /Server listening at (http:\S+)/.exec(output) ?? []
      if (url) resolve(url)
    })
  })
}
