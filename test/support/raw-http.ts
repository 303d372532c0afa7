import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawResponse {
  status: number
  /** The headers by name in lower case. */
  headers: Record<string, string>
  body: string
}

export interface Connection {
  send(bytes: string | Buffer): void
  /** Sends the bytes, and reads nothing until all of them are sent. */
  sendWithoutReading(bytes: string | Buffer): Promise<void>
  /** Closes the sending direction. The other one stays open. */
  end(): void
  /** Returns the next response. Rejects if the connection ends before it is complete. */
  response(): Promise<RawResponse>
  /** Resolves when the server has closed the connection. Rejects if the server reset it. */
  ended(): Promise<void>
  destroy(): void
}

/** Milliseconds without data after which the connection fails. */
const IDLE_LIMIT = 20_000

/**
 * Opens a connection that sends any bytes. HTTP clients refuse to send most of the malformed
 * requests that a server must handle.
 */
export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  await once(socket, 'connect')
  let received = Buffer.alloc(0)
  let failure: Error | undefined
  let isOver = false
  let wake = () => {}
  socket.setTimeout(IDLE_LIMIT, () => socket.destroy(new Error('the server is silent')))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', (error) => {
    failure = error
    wake()
  })
  socket.on('end', () => {
    isOver = true
    socket.end()
    wake()
  })
  const news = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })

  return {
    send: (bytes) => void socket.write(bytes),
    async sendWithoutReading(bytes) {
      socket.pause()
      await new Promise<void>((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
      socket.resume()
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),

    async response() {
      for (;;) {
        const found = parse(received)
        if (found) {
          received = received.subarray(found.length)
          return found.response
        }
        if (failure) throw failure
        if (isOver)
          throw new Error(`the connection ended after ${received.length} bytes of a response`)
        await news()
      }
    },

    async ended() {
      while (!isOver) {
        if (failure) throw failure
        await news()
      }
    },
  }
}

/** Returns the first response if it is complete. Pawl sends a Content-Length, except for a 204. */
function parse(bytes: Buffer): { response: RawResponse; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [start = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const status = Number(start.split(' ')[1])
  const size = Number(headers['content-length'] ?? 0)
  const length = headEnd + 4 + size
  if (bytes.length < length) return undefined
  const body = bytes.subarray(headEnd + 4, length).toString()
  return { response: { status, headers, body }, length }
}

export type HeaderLines = Record<string, string>

/** Returns the bytes of a request, with a Content-Length if it has a body. */
export function request(
  method: string,
  target: string,
  headers: HeaderLines = {},
  body?: string | Buffer,
) {
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
  const lines = Object.entries({ Host: 'auth.example.com', ...length, ...headers })
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
  ]
  // In latin1, each character of a header is sent as one byte.
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'),
    Buffer.from(body ?? ''),
  ])
}

/** Returns the bytes of a request whose body is chunked and has no Content-Length. */
export function chunkedRequest(
  method: string,
  target: string,
  headers: HeaderLines,
  body: string | Buffer,
) {
  const bytes = Buffer.from(body)
  const parts: (string | Buffer)[] = []
  for (let at = 0; at < bytes.length; at += 10_000) {
    const part = bytes.subarray(at, at + 10_000)
    parts.push(`${part.length.toString(16)}\r\n`, part, '\r\n')
  }
  const all = [...parts, '0\r\n\r\n'].map((part) => Buffer.from(part))
  return Buffer.concat([
    request(method, target, { 'Transfer-Encoding': 'chunked', ...headers }),
    ...all,
  ])
}
