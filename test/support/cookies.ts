import type { LightMyRequestResponse } from 'fastify'

export const SECURE_NAME = '__Host-pawl-refresh'
/** The name that earlier versions set, for the path of the auth routes. */
export const OLD_NAME = '__Secure-pawl-refresh'
export const PLAIN_NAME = 'pawl-refresh'

/** Returns the cookies that the response sets, each with its attributes sorted. */
export function setCookiesOf({ headers }: LightMyRequestResponse) {
  return [headers['set-cookie'] ?? []].flat().map((line) => {
    const [pair = '', ...attributes] = line.split('; ')
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    return { name, value, pair, attributes: attributes.sort() }
  })
}

/** Returns the only cookie that the response sets. */
export function setCookieOf(response: LightMyRequestResponse) {
  const [cookie, ...more] = setCookiesOf(response)
  if (!cookie || more.length > 0)
    throw new Error(`not one cookie: ${response.headers['set-cookie']}`)
  return cookie
}
