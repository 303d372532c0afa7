import { connect } from 'node:net'
import { findRedis } from './binaries.ts'
import { leash } from './leash.ts'
import { type Service, startService } from './service.ts'

function ping(url: string) {
  return new Promise<void>((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write('PING\r\n'))
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer to PING')))
    socket.once('data', (data) => {
      if (data.toString() === '+PONG\r\n') resolve()
      else reject(new Error(`unexpected answer to PING: ${data}`))
      socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('connection closed')))
  })
}

/** A private Redis on a loopback port. It stores nothing on disk: after a restart it is empty. */
export async function startRedis(options: { port?: number } = {}): Promise<Service> {
  const { command, env } = await findRedis()
  return startService(
    {
      name: 'Redis',
      url: (port) => `redis://127.0.0.1:${port}`,
      launch(port, dir) {
        const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
        return leash(command, flags, { env, ...(dir && { dir }) })
      },
      ask: ping,
    },
    options.port,
  )
}
