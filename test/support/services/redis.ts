import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { findRedis } from './binaries.ts'
import { type Certificate, createCertificate } from './certificate.ts'
import { createFolder, leash } from './leash.ts'
import { type Service, startService } from './service.ts'

type Connect = (port: number, host: string, onConnect: () => void) => Socket

export function ping(url: string, open: Connect = connect) {
  return new Promise<void>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = open(Number(port), hostname, () => socket.write('PING\r\n'))
    socket.setTimeout(2000, () => socket.destroy(new Error('no reply to PING')))
    socket.once('data', (data) => {
      // A server that demands a password is ready as well.
      if (/^(\+PONG|-NOAUTH .*)\r\n$/.test(data.toString())) resolve()
      else reject(new Error(`unexpected reply to PING: ${data}`))
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('connection closed')))
  })
}

export interface RedisOptions {
  port?: number
  /** Further arguments of the command line. */
  flags?: string[]
  /** Further variables of the environment. */
  env?: NodeJS.ProcessEnv
}

/**
 * Starts a private Redis on a loopback port. It stores nothing on disk, so it is empty after a
 * restart.
 */
export async function startRedis(options: RedisOptions = {}): Promise<Service> {
  const { port, flags = [] } = options
  const { command, env: found } = await findRedis()
  const env = { ...found, ...options.env }
  return startService(
    {
      name: 'Redis',
      url: (port) => `redis://127.0.0.1:${port}`,
      launch(port, dir) {
        const own = [
          '--port',
          String(port),
          '--bind',
          '127.0.0.1',
          '--save',
          '',
          '--appendonly',
          'no',
        ]
        return leash(command, [...own, ...flags], { env, ...(dir && { dir }) })
      },
      ask: ping,
    },
    port,
  )
}

/** Asks a server for a PONG over TLS, whatever its certificate says. */
export const pingTls = (url: string) =>
  ping(url, (port, host, onConnect) =>
    connectTls(port, host, { rejectUnauthorized: false }, onConnect),
  )

/**
 * Starts a Redis that accepts only TLS, with a self-signed certificate. Returns undefined if
 * openssl cannot create the certificate.
 */
export async function startTlsRedis(): Promise<(Service & { certificate: string }) | undefined> {
  const dir = await createFolder()
  const certificate = createCertificate(dir)
  if (!certificate) {
    await rm(dir, { recursive: true })
    return undefined
  }
  const service = await startSecureRedis({ certificate, dir })
  return { ...service, certificate: certificate.path }
}

export interface SecureOptions {
  certificate: Certificate
  /** The folder of the first server that is started. */
  dir?: string
  /** Further arguments of the command line. */
  flags?: string[]
}

/** Starts a Redis that accepts only TLS. */
export async function startSecureRedis(options: SecureOptions): Promise<Service> {
  const { certificate, flags = [] } = options
  const { command, env } = await findRedis()
  return startService({
    name: 'Redis with TLS',
    url: (port) => `rediss://127.0.0.1:${port}`,
    async launch(port, earlier) {
      const dir = earlier ?? options.dir ?? (await createFolder())
      const ports = ['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1']
      return leash(command, [...ports, ...certificate.flags, '--save', '', ...flags], { env, dir })
    },
    ask: pingTls,
  })
}
