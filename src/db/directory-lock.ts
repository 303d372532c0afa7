import { createHash, randomBytes } from 'node:crypto'
import { chmod, realpath, rename, unlink } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { PRIVATE_FILE } from '../common/private-files.ts'

/** The longest path, in bytes, that a Unix socket can have on every system. */
const SOCKET_PATH_LIMIT = 100

/** Another process holds the lock of a directory. The message names the directory. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError'
}

/**
 * Locks `directory` for this process and returns the function that releases it. The lock is a
 * listening socket, so the kernel releases it however the process ends. The file of a killed
 * process is recognised and replaced. Rejects with `DirectoryInUseError` if a living process holds
 * the lock.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const path = await realpath(directory)
  const address = addressOf(path)
  const server = (await listen(address)) ?? (await takeOver(address))
  if (!server) throw new DirectoryInUseError(`${path} is in use by another process`)
  server.unref()
  if (process.platform !== 'win32') await chmod(address, PRIVATE_FILE)
  return () => new Promise((resolve) => server.close(() => resolve()))
}

function addressOf(directory: string): string {
  if (process.platform === 'win32') {
    const name = createHash('sha256').update(directory).digest('hex')
    return `\\\\.\\pipe\\pawl-${name}`
  }
  const path = join(directory, 'lock')
  if (Buffer.byteLength(path) > SOCKET_PATH_LIMIT)
    throw new Error(
      `the path ${directory} is too long: with '/lock' it may have ${SOCKET_PATH_LIMIT} bytes`,
    )
  return path
}

/** Returns undefined if the address is in use. */
function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(address, () => resolve(server))
  })
}

/**
 * Replaces the socket of a dead process. The socket is renamed first, so that two processes that
 * find it at the same time cannot both remove it.
 */
async function takeOver(address: string): Promise<Server | undefined> {
  if (await isAlive(address)) return undefined
  const renamed = `${address}.${randomBytes(6).toString('hex')}`
  try {
    await rename(address, renamed)
  } catch {
    return undefined
  }
  if (await isAlive(renamed)) {
    // Another process took over between the check and the renaming, so the socket is its own.
    await rename(renamed, address)
    return undefined
  }
  await unlink(renamed)
  return listen(address)
}

function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
