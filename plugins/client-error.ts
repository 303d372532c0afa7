import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, PawlError } from '../src/errors.ts'
import { PROBLEM_JSON, toProblem } from '../src/http/problem.ts'

/** Bytes that a client may still be sending after its request was refused: read and forgotten for this long, in ms. */
const LINGER = 2_000

/**
 * Answers what never became a request (a malformed one, headers over the limit, one that took too long). The socket is
 * read to its end before it is closed: closed with bytes unread, the kernel resets the connection, and the client may
 * lose the answer. Nothing of the request is logged: its raw bytes hold credentials.
 */
export function renderClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Whatever still arrives after the answer is an error each time.
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
