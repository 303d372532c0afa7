/** The claims of a JWT. Only the server can check its signature; to look inside needs no key. */
export function claims(token) {
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
  return JSON.parse(
    new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))),
  )
}

/** Enough of a token to tell it from another one: its end, which is of the signature. */
export function shorten(token) {
  return `${token.slice(0, 3)}…${token.slice(-6)}`
}

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g

/** Whatever was sent or received, in one line that is fit to be shown: tokens short, no password. */
export function presentable(value) {
  const shown = JSON.stringify(value, (key, inner) => (key === 'password' ? '…' : inner), 1)
  return shown.replace(TOKEN, shorten).replaceAll(/\n\s*/g, ' ')
}

/** New for each attempt that is not a retry. `randomUUID` is not there on plain http, except on this machine. */
export function newRetryKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
