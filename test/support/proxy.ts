import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import type { TestContext } from 'node:test'
import { cleanUp } from './clean-up.ts'

export interface Proxy {
  url: string
  /** Makes the present connections drop everything in both directions, without an error. */
  dropPackets(): void
  /** Closes the present connections, and leads new ones to another store. */
  leadTo(target: string): void
}

export interface ProxyOptions {
  /** Changes what the store sends. */
  rewrite?: (data: Buffer) => Buffer
}

/**
 * Creates a proxy before a store. It can drop the packets of the present connections, as a bad
 * network does, while new connections work.
 */
export async function createProxy(
  t: TestContext,
  target: string,
  { rewrite = (data) => data }: ProxyOptions = {},
): Promise<Proxy> {
  let { hostname, port } = new URL(target)
  const pairs = new Set<[Socket, Socket]>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    near.pipe(far)
    const rewritten = new Transform({
      transform: (data, _encoding, done) => done(null, rewrite(data)),
    })
    far.pipe(rewritten).pipe(near)
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, async () => {
    for (const socket of [...pairs].flat()) socket.destroy()
    server.close()
  })
  const address = server.address() as AddressInfo
  const url = Object.assign(new URL(target), { host: `127.0.0.1:${address.port}` }).href
  return {
    url,
    leadTo(other) {
      ;({ hostname, port } = new URL(other))
      for (const socket of [...pairs].flat()) socket.destroy()
    },
    dropPackets() {
      for (const [near, far] of pairs) {
        near.unpipe()
        far.unpipe()
        near.resume()
        far.resume()
      }
    },
  }
}
