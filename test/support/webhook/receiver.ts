import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from '../clean-up.ts'

export interface Received {
  path: string | undefined
  headers: IncomingHttpHeaders
  /** As it came, for the signature. */
  text: string
  event: {
    id: string
    type: string
    at: string
    userId?: string
    sessionId?: string
    detail: never
  }
}

/** What to answer; a receiver that hangs never does. */
export type Answer = number | 'hang'

export interface Receiver {
  url: string
  /** Everything that arrived, whatever was answered. */
  calls: Received[]
  /** What was answered with 2xx. */
  taken: Received[]
  /** For each call; 204 at first. */
  answer: (call: Received) => Answer
  /** Nobody listens any more, and open connections are cut. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
}

/** Somebody's webhook: a real server on a port of its own. */
export async function startReceiver(t: TestContext): Promise<Receiver> {
  let server: Server | undefined
  let port = 0
  const sockets = new Set<Socket>()

  function reply(call: Received, response: ServerResponse): void {
    const answer = receiver.answer(call)
    if (answer === 'hang') return
    if (answer < 300) receiver.taken.push(call)
    response
      .writeHead(answer, answer >= 300 && answer < 400 ? { location: '/elsewhere' } : {})
      .end('thanks')
  }

  async function comeBack(): Promise<void> {
    server = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const { url: path, headers } = request
      const call = { path, headers, text, event: JSON.parse(text || '{}') }
      receiver.calls.push(call)
      reply(call, response)
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }

  async function goDown(): Promise<void> {
    const closed = new Promise((resolve) => server?.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  const receiver: Receiver = { url: '', calls: [], taken: [], answer: () => 204, goDown, comeBack }
  await comeBack()
  receiver.url = `http://127.0.0.1:${port}/hook`
  cleanUp(t, goDown)
  return receiver
}
