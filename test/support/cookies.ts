import type { LightMyRequestResponse } from 'fastify'

export const SECURE_NAME = '__Secure-pawl-refresh'
export const PLAIN_NAME = 'pawl-refresh'

/** Returns the only cookie that the response sets, with its attributes sorted. */
export function setCookieOf({ headers }: LightMyRequestResponse) {
  const lines = [headers['set-cookie'] ?? []].flat()
  if (lines.length !== 1) throw new Error(`the response sets ${lines.length} cookies`)
  const [pair = '', ...attributes] = (lines[0] ?? '').split('; ')
  const at = pair.indexOf('=')
  return { name: pair.slice(0, at), value: pair.slice(at + 1), pair, attributes: attributes.sort() }
}
