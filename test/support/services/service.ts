import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Leash } from './leash.ts'

export interface Service {
  url: string
  port: number
  /** Its folder, which goes with it. */
  dir: string
  /** Signals the server's main process: SIGKILL, SIGSTOP, SIGCONT... */
  kill(signal: NodeJS.Signals): void
  /** Ends the server's main process by a signal, and resolves once it is gone. */
  crash(signal: NodeJS.Signals): Promise<void>
  /** Ends the server, if it still runs, and starts it again on the same port with the same folder. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface Recipe {
  name: string
  url(port: number): string
  /** Starts the server, on the folder of an earlier one if there is one. */
  launch(port: number, dir?: string): Promise<Leash>
  /** Rejects for as long as the server does not answer. */
  ask(url: string): Promise<void>
}

const ATTEMPTS = 5
const READY_MS = 15_000

function isFree(port: number) {
  return new Promise<boolean>((resolve) => {
    const server = createServer().once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Below the range that systems give to outgoing connections (32768 and up): a client that keeps trying to
 * reconnect to a stopped server on a port of that range can be given that very port, and so connect to
 * itself.
 */
async function freePort(): Promise<number> {
  const port = 15_000 + Math.floor(Math.random() * 15_000)
  return (await isFree(port)) ? port : freePort()
}

async function untilReady(recipe: Recipe, url: string, server: Leash) {
  const deadline = performance.now() + READY_MS
  let ended = false
  // Not only between the questions: whoever holds the port in the server's stead may take long to answer.
  const end = server.exited.then((code) => {
    ended = true
    throw new Error(`it ended with code ${code}`)
  })
  end.catch(() => {})
  for (;;) {
    try {
      return await Promise.race([recipe.ask(url), end])
    } catch (error) {
      if (ended || performance.now() > deadline) throw error
    }
    await delay(15)
  }
}

/**
 * Starts a private server and waits until it answers. More than one attempt, because a free port may be taken
 * before we get to it, and a killed Postgres holds its shared memory until its last child has seen it dead.
 */
export async function startService(recipe: Recipe, fixedPort?: number): Promise<Service> {
  async function attempt(port: number, dir?: string) {
    // Asked first: another server there would answer in ours' stead.
    if (!(await isFree(port))) throw new Error(`${recipe.name} cannot start: port ${port} is taken`)
    const server = await recipe.launch(port, dir)
    try {
      await untilReady(recipe, recipe.url(port), server)
      return { server, port }
    } catch (error) {
      const log = await server.log()
      await server.stop({ keep: dir !== undefined })
      const message = `${recipe.name} did not start on port ${port}: ${(error as Error).message}\n${log}`
      throw new Error(message, { cause: error })
    }
  }

  async function start(port?: number, dir?: string) {
    for (let count = 1; ; count++) {
      try {
        return await attempt(port ?? (await freePort()), dir)
      } catch (error) {
        if (count === ATTEMPTS) throw error
      }
      await delay(100 * count)
    }
  }

  let { server, port } = await start(fixedPort)
  return {
    url: recipe.url(port),
    port,
    dir: server.dir,
    kill: (signal) => server.kill(signal),
    async crash(signal) {
      server.kill(signal)
      await server.exited
    },
    async restart() {
      await server.stop({ keep: true })
      server = (await start(port, server.dir)).server
    },
    stop: () => server.stop(),
  }
}
