import { createHash, randomBytes } from 'node:crypto'
import { realpath, rename, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/** The longest path that a Unix socket takes on every system. */
const SOCKET_PATH_LIMIT = 100

/** Its message names the folder. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse'
}

/**
 * Take `directory` for this process and return the function that gives it back. The lock is a listening socket, so the
 * kernel releases it however the process ends; a file left by a process that was killed is recognised and replaced.
 * Rejects with `DirectoryInUse` where a living process holds it.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = await realpath(directory)
  const address = addressOf(path)
  const server = (await listen(address)) ?? (await takeOver(address))
  if (!server) throw new DirectoryInUse(`${path} is in use by another process`)
  server.unref()
  return () => new Promise((done) => server.close(() => done()))
}

function addressOf(directory: string): string {
  if (process.platform === 'win32') {
    const name = createHash('sha256').update(directory).digest('hex')
    return `\\\\.\\pipe\\pawl-${name}`
  }
  const inside = join(directory, 'lock')
  if (Buffer.byteLength(inside) > SOCKET_PATH_LIMIT)
    throw new Error(
      `the path of ${directory} is too long: the lock in it may have ${SOCKET_PATH_LIMIT} bytes`,
    )
  return inside
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') done(undefined)
      else fail(error)
    })
    server.listen(address, () => done(server))
  })
}

/** Replace a dead owner's socket. It is moved aside first, so that two that find it at once cannot both remove it. */
async function takeOver(address: string): Promise<Server | undefined> {
  if (await isAlive(address)) return undefined
  const aside = `${address}.${randomBytes(6).toString('hex')}`
  try {
    await rename(address, aside)
  } catch {
    return undefined
  }
  if (await isAlive(aside)) {
    // Somebody took over between the look and the move: it is theirs.
    await rename(aside, address)
    return undefined
  }
  await unlink(aside)
  return listen(address)
}

function isAlive(address: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
