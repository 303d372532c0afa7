/**
 * A request. `quiet` reports it only if it is refused. `lost` pretends that the response was lost.
 * @typedef {{ who: string, method: string, path: string, token?: string, body?: object,
 *   key?: string, quiet?: boolean, lost?: boolean }} Call
 * A request and its response. The status is 0 if there is no response.
 * @typedef {Call & { status: number, result: any, ms: number }} Exchange
 */

/**
 * @param {(exchange: Exchange) => void} onExchange is called after each response
 * @returns {(call: Call) => Promise<Exchange>}
 */
export function createApi(onExchange) {
  return async (call) => {
    const { method, path, token, body, key, quiet } = call
    const headers = {}
    if (token) headers.authorization = `Bearer ${token}`
    if (body) headers['content-type'] = 'application/json'
    if (key) headers['idempotency-key'] = key
    const start = performance.now()
    const response = await fetch(path.slice(1), {
      method,
      headers,
      cache: 'no-store',
      credentials: 'omit',
      ...(body ? { body: JSON.stringify(body) } : {}),
    }).catch(() => undefined)
    const text = (await response?.text().catch(() => '')) ?? ''
    const exchange = {
      ...call,
      status: response?.status ?? 0,
      result: /^[{[]/.test(text) ? JSON.parse(text) : null,
      ms: performance.now() - start,
    }
    if (!quiet || exchange.status === 401) onExchange(exchange)
    return exchange
  }
}
