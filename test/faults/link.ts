import { connect, createServer, type Socket } from 'node:net'

/** The network between one server and a store: a TCP proxy on loopback. */
export interface Link {
  port: number
  /** Breaks every connection and refuses new ones. */
  cut(): void
  /** Keeps connections and accepts new ones, but forwards nothing. */
  hold(): void
  /** Hides the run id in what the store sends, as some managed services do. */
  hideRunId(): void
  /** Forwards again. Data that was held back arrives now, late, as TCP delivers it. */
  heal(): void
  /**
   * Breaks every connection. New ones are accepted and lead to the current address of the store.
   */
  reset(): void
  close(): Promise<void>
}

export async function createLink(target: () => number): Promise<Link> {
  let isCut = false
  let isHeld = false
  let isHidden = false
  let held: (() => void)[] = []
  const sockets = new Set<Socket>()

  function pass(from: Socket, to: Socket): void {
    from.on('data', (data) => {
      const chunk = isHidden ? withoutRunId(data) : data
      const deliver = () => void (to.destroyed || to.write(chunk))
      if (isHeld) held.push(deliver)
      else deliver()
    })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      // If a connection ends during a partition, the other side sees the end when the partition is
      // over.
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
    hideRunId() {
      isHidden = true
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

/** The length stays, because the protocol announces it. */
function withoutRunId(data: Buffer): Buffer {
  const at = data.indexOf('\nrun_id:')
  if (at < 0) return data
  const changed = Buffer.from(data)
  changed.write('\nxxx_xx:', at)
  return changed
}
