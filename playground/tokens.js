/** Decodes the claims of a JWT. That needs no key; only the server can check the signature. */
export function decodeClaims(token) {
  const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')
  return JSON.parse(
    new TextDecoder().decode(Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))),
  )
}

/** Shortens a token to its start and the end of its signature, which differs between tokens. */
export function shorten(token) {
  return `${token.slice(0, 3)}…${token.slice(-6)}`
}

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g

/** Formats a body as one line, with short tokens and without passwords. */
export function formatBody(value) {
  const shown = JSON.stringify(value, (key, inner) => (key === 'password' ? '…' : inner), 1)
  return shown.replace(TOKEN, shorten).replaceAll(/\n\s*/g, ' ')
}

/**
 * Returns a new key, for an attempt that is not a retry. It does not use `randomUUID`, which
 * browsers offer on plain http only for localhost.
 */
export function newRetryKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
