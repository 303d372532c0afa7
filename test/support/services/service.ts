import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Leash } from './leash.ts'

export interface Service {
  url: string
  port: number
  /** The server's folder. It is removed when the server is stopped. */
  dir: string
  /** Signals the server's main process, for example with SIGKILL, SIGSTOP or SIGCONT. */
  kill(signal: NodeJS.Signals): void
  /** Sends the server's main process a signal, and resolves when the process has ended. */
  crash(signal: NodeJS.Signals): Promise<void>
  /** Stops the server if it still runs, and starts it again with the same port and folder. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface Recipe {
  name: string
  url(port: number): string
  /** Starts the server, with the folder of an earlier server if `dir` is set. */
  launch(port: number, dir?: string): Promise<Leash>
  /** Rejects if the server does not respond. */
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
 * Returns a port below 32768, the start of the range that systems assign to outgoing connections. A
 * client that keeps reconnecting to a stopped server in that range can be assigned the server's own
 * port. It would then connect to itself.
 */
async function freePort(): Promise<number> {
  const port = 15_000 + Math.floor(Math.random() * 15_000)
  return (await isFree(port)) ? port : freePort()
}

async function untilReady(recipe: Recipe, url: string, server: Leash) {
  const deadline = performance.now() + READY_MS
  let ended = false
  // The exit must also interrupt a request, because another process on the port may be slow to
  // respond.
  const end = server.exited.then((code) => {
    ended = true
    throw new Error(`the process exited with code ${code}`)
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
 * Starts a private server and waits until it responds. Retries for two reasons: another process may
 * take the free port first, and a killed Postgres holds its shared memory until its last child
 * process ends.
 */
export async function startService(recipe: Recipe, fixedPort?: number): Promise<Service> {
  async function attempt(port: number, dir?: string) {
    // Another server on the port would otherwise respond in place of the new one.
    if (!(await isFree(port))) throw new Error(`${recipe.name} cannot start: port ${port} is taken`)
    const server = await recipe.launch(port, dir)
    try {
      await untilReady(recipe, recipe.url(port), server)
      return { server, port }
    } catch (error) {
      const log = await server.log()
      await server.stop({ keep: dir !== undefined })
      const reason = `${(error as Error).message}\n${log}`
      const message = `${recipe.name} did not start on port ${port}: ${reason}`
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
