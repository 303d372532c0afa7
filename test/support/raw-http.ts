import { once } from 'node:events'
import { connect } from 'node:net'

export interface Answer {
  status: number
  /** By lower-case name. */
  headers: Record<string, string>
  body: string
}

export interface Connection {
  send(bytes: string | Buffer): void
  /** The same, reading nothing until all of it has left. */
  sendUnheard(bytes: string | Buffer): Promise<void>
  /** Send no more; the other direction stays open. */
  end(): void
  /** The next answer, whole; rejects where the connection ends before it is. */
  answer(): Promise<Answer>
  /** Resolves once the server has ended the connection in good order; rejects where it reset it. */
  ended(): Promise<void>
  destroy(): void
}

/** Milliseconds of silence after which a test fails rather than hangs. */
const SILENCE = 20_000

/** A connection that sends exactly what it is told: HTTP clients refuse to send most of what a server has to survive. */
export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  await once(socket, 'connect')
  let received = Buffer.alloc(0)
  let failure: Error | undefined
  let over = false
  let wake = () => {}
  socket.setTimeout(SILENCE, () => socket.destroy(new Error('the server is silent')))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  socket.on('error', (error) => {
    failure = error
    wake()
  })
  socket.on('end', () => {
    over = true
    socket.end()
    wake()
  })
  const news = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })

  return {
    send: (bytes) => void socket.write(bytes),
    async sendUnheard(bytes) {
      socket.pause()
      await new Promise<void>((resolve, reject) => {
        socket.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
      socket.resume()
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),

    async answer() {
      for (;;) {
        const found = parse(received)
        if (found) {
          received = received.subarray(found.length)
          return found.answer
        }
        if (failure) throw failure
        if (over)
          throw new Error(`the connection ended after ${received.length} bytes of an answer`)
        await news()
      }
    },

    async ended() {
      while (!over) {
        if (failure) throw failure
        await news()
      }
    },
  }
}

/** The first answer in the bytes, if it is whole. Answers of ours say their length; a 204 has none. */
function parse(bytes: Buffer): { answer: Answer; length: number } | undefined {
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
  return { answer: { status, headers, body }, length }
}

export type HeaderLines = Record<string, string>

/** A request as bytes, with Content-Length where it has a body. */
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
  // latin1: what a test puts into a header leaves as the byte it names.
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'),
    Buffer.from(body ?? ''),
  ])
}

/** The same, its body in chunks and its length unsaid. */
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
