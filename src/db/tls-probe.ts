import { connect } from 'node:net'
import { isSocket, type PostgresTarget } from './postgres-url.ts'

/** Milliseconds to wait for a host. */
const LIMIT = 2_000
/** SSLRequest of the protocol of Postgres: the length of the message, and its number. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
/** The reply of a server that does not speak TLS. */
const NO_TLS = 'N'

/**
 * Throws if TLS is required and a host does not offer it. The driver would try again for ever. A
 * host that is unavailable is left to the driver, which reports it.
 */
export async function requireOfferedTls({ hosts, parameters }: PostgresTarget): Promise<void> {
  const { mode, isDirect } = parameters.tls
  if (isDirect || mode === 'disable' || mode === 'allow' || mode === 'prefer') return
  for (const { host, port } of hosts)
    if (!isSocket(host) && (await replyOf(host, port)) === NO_TLS)
      throw new Error(`TLS failed: the server does not offer it, and sslmode=${mode} demands it`)
}

/** Returns undefined if the host does not reply. */
function replyOf(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: LIMIT })
    const end = (reply?: string) => {
      socket.destroy()
      resolve(reply)
    }
    socket.once('connect', () => socket.write(SSL_REQUEST))
    socket.once('data', (data) => end(data.toString('latin1', 0, 1)))
    socket.once('timeout', () => end())
    socket.once('close', () => end())
    socket.on('error', () => end())
  })
}
