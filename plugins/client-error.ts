import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, PawlError } from '../src/errors.ts'
import { API_HEADERS } from '../src/http/constant-headers.ts'
import { PROBLEM_JSON, toProblem } from '../src/http/problem.ts'

/** Milliseconds for which the rest of a refused request is still read, and discarded. */
const LINGER = 2_000

/**
 * Responds to bytes that never became a request: malformed, headers over the limit, or too slow.
 * The socket is read to its end before it is closed. If it were closed with bytes unread, the
 * kernel would reset the connection, and the client could lose the response. Nothing of the request
 * is logged, because its raw bytes may contain credentials.
 */
export function renderClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Bytes that arrive after the response cause another error each time.
  if (socket.writableEnded && error.code !== 'ECONNRESET') return
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = toProblem(new PawlError(clientErrorCode(error.code)))
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    ...Object.entries(API_HEADERS).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.removeAllListeners('data')
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), LINGER)
  socket.once('close', () => clearTimeout(timer))
}

function clientErrorCode(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE'
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'REQUEST_TIMEOUT' : 'BAD_REQUEST'
}
