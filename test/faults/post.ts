import type { Span } from './record.ts'

/** Milliseconds that a client waits. It is longer than any stall. */
const PATIENCE = 8_000

interface Answer extends Span {
  /** 0 if no complete response arrived. */
  status: number
  body: string
}

/** Sends a POST request, with a body of JSON if there is one. */
export async function post(
  url: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const start = performance.now()
  const end = (status: number, text: string) => ({
    start,
    end: performance.now(),
    status,
    body: text,
  })
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      signal: AbortSignal.timeout(PATIENCE),
      ...(body && { body: JSON.stringify(body) }),
    })
    return end(response.status, await response.text())
  } catch {
    return end(0, '')
  }
}
