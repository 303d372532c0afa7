import { spawnSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { findRedis } from './binaries.ts'
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

/**
 * Starts a Redis that accepts only TLS, with a self-signed certificate. Returns undefined if
 * openssl cannot create the certificate.
 */
export async function startTlsRedis(): Promise<(Service & { certificate: string }) | undefined> {
  const { command, env } = await findRedis()
  const dir = await createFolder()
  const [certificate, key] = [join(dir, 'certificate.pem'), join(dir, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...kind,
    ...subject,
    '-keyout',
    key,
    '-out',
    certificate,
  ])
  if (made.status !== 0) {
    await rm(dir, { recursive: true })
    return undefined
  }
  const files = [
    '--tls-cert-file',
    certificate,
    '--tls-key-file',
    key,
    '--tls-ca-cert-file',
    certificate,
  ]
  const service = await startService({
    name: 'Redis with TLS',
    url: (port) => `rediss://127.0.0.1:${port}`,
    launch(port) {
      const ports = ['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1']
      const flags = [...ports, ...files, '--tls-auth-clients', 'no', '--save', '']
      return leash(command, flags, { env, dir })
    },
    ask: (url) =>
      ping(url, (port, host, onConnect) =>
        connectTls(port, host, { rejectUnauthorized: false }, onConnect),
      ),
  })
  return { ...service, certificate }
}
