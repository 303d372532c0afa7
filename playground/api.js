/**
 * @typedef {{ who: string, method: string, path: string, token?: string, body?: object, key?: string,
 *   quiet?: boolean, lost?: boolean }} Call `quiet`: told of only where it fails; `lost`: as if the answer never arrived
 * @typedef {Call & { status: number, answer: any, ms: number }} Exchange
 */

/**
 * @param {(exchange: Exchange) => void} tell of each request and its answer
 * @returns {(call: Call) => Promise<Exchange>}
 */
export function createApi(tell) {
  return async (call) => {
    const { method, path, token, body, key, quiet } = call
    const headers = {}
    if (token) headers.authorization = `Bearer ${token}`
    if (body) headers['content-type'] = 'application/json'
    if (key) headers['idempotency-key'] = key
    const begun = performance.now()
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
      answer: /^[{[]/.test(text) ? JSON.parse(text) : null,
      ms: performance.now() - begun,
    }
    if (!quiet || exchange.status === 401) tell(exchange)
    return exchange
  }
}
