import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { cleanUp } from '../clean-up.ts'
import { type Env, environment } from '../environment.ts'

export interface ReceivedRequest {
  path: string | undefined
  headers: IncomingHttpHeaders
  /** The body as it arrived, which is what the signature covers. */
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

/** A status, or `hang` to leave the request without a response. */
type Reply = number | 'hang'

export interface Receiver {
  url: string
  /** Every request that arrived, whatever the response was. */
  requests: ReceivedRequest[]
  /** The requests that got a response of 2xx. */
  accepted: ReceivedRequest[]
  /** Chooses the response to each request; 204 by default. */
  replyTo: (request: ReceivedRequest) => Reply
  /** Stops listening, and cuts open connections. */
  goDown(): Promise<void>
  comeBack(): Promise<void>
}

/** Returns a new secret in the form of Standard Webhooks. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** Returns the environment of a server with this webhook and without a grace window. */
export function webhookEnvironment(
  t: TestContext,
  receiver: Receiver,
  overrides: Env = {},
): Promise<Env> {
  const webhook = { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: newWebhookSecret() }
  return environment(t, { GRACE: '0s', ...webhook, ...overrides })
}

/** Verifies a request as a receiver would. Throws if the library does not accept it. */
export function verify(
  secret: string,
  { text, headers }: Pick<ReceivedRequest, 'text' | 'headers'>,
): unknown {
  return new Webhook(secret).verify(text, headers as Record<string, string>)
}

/**
 * Starts a webhook receiver: a real server on a port of its own. By default it accepts sign-ups
 * without keeping them, because most tests begin with one and are about something else.
 */
export async function startReceiver(
  t: TestContext,
  { hearsSignups = false } = {},
): Promise<Receiver> {
  let server: Server | undefined
  let port = 0
  const sockets = new Set<Socket>()

  function respond(request: ReceivedRequest, response: ServerResponse): void {
    const status = receiver.replyTo(request)
    if (status === 'hang') return
    if (status < 300) receiver.accepted.push(request)
    response
      .writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {})
      .end('thanks')
  }

  async function comeBack(): Promise<void> {
    server = createServer(async (incoming, response) => {
      let text = ''
      for await (const chunk of incoming) text += chunk
      const { url: path, headers } = incoming
      const request = { path, headers, text, event: JSON.parse(text || '{}') }
      if (request.event.type === 'signup' && !hearsSignups) {
        response.writeHead(204).end()
        return
      }
      receiver.requests.push(request)
      respond(request, response)
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

  const receiver: Receiver = {
    url: '',
    requests: [],
    accepted: [],
    replyTo: () => 204,
    goDown,
    comeBack,
  }
  await comeBack()
  receiver.url = `http://127.0.0.1:${port}/hook`
  cleanUp(t, goDown)
  return receiver
}
