import { connect, createServer, type Socket } from 'node:net'

/** The network between one server and a store: a TCP proxy on loopback. */
export interface Link {
  port: number
  /** Break every connection, and refuse new ones. */
  cut(): void
  /** Keep connections and accept new ones, but let nothing through. */
  hold(): void
  /** As before; what was held back arrives now, late, as TCP delivers it. */
  heal(): void
  /** Break every connection; new ones are welcome, and go where the store is now. */
  reset(): void
  close(): Promise<void>
}

export async function createLink(target: () => number): Promise<Link> {
  let isCut = false
  let isHeld = false
  let held: (() => void)[] = []
  const sockets = new Set<Socket>()

  function pass(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      const deliver = () => void (to.destroyed || to.write(chunk))
      if (isHeld) held.push(deliver)
      else deliver()
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      // A connection that ends during a partition is gone for the other side when that is over.
      if (isHeld) held.push(() => to.destroy())
      else to.destroy()
    })
  }

  const server = createServer((downstream) => {
    if (isCut) {
      downstream.destroy()
      return
    }
    const upstream = connect(target(), '127.0.0.1')
    for (const socket of [downstream, upstream]) sockets.add(socket.setNoDelay(true))
    pass(downstream, upstream)
    pass(upstream, downstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('the proxy has no port')

  function reset(): void {
    held = []
    for (const socket of sockets) socket.destroy()
  }

  return {
    port: address.port,
    cut() {
      isCut = true
      reset()
    },
    hold() {
      isHeld = true
    },
    heal() {
      isCut = false
      isHeld = false
      for (const deliver of held.splice(0)) deliver()
    },
    reset,
    close() {
      isHeld = false
      reset()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
